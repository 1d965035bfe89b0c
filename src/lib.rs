//! garrison turns large collections of news into Parquet tables of political events and of sentiment toward
//! foreign forces. ARCHITECTURE.md shows the house; the modules below stand in reading order.

pub mod pipeline;
pub mod plan;
pub mod tables;
pub mod unit;
pub mod input;
pub mod document;
pub mod normalize;
pub mod dedup;
pub mod parts;
pub mod gate;
pub mod extract;
pub mod text;
pub mod mentions;
pub mod events;
pub mod sentiment;
pub mod surveys;
pub mod incidents;
pub mod knowledge;
pub mod output;
pub mod report;
pub mod explain;
pub mod check;
pub mod evaluate;
pub mod train;
pub mod id;
