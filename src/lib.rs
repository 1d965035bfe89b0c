//! garrison turns large collections of news into Parquet tables of political events and of sentiment toward
//! foreign forces. ARCHITECTURE.md shows the house; the modules below stand in reading order.

pub mod check;
pub mod dedup;
pub mod document;
pub mod evaluate;
pub mod events;
pub mod explain;
pub mod extract;
pub mod gate;
pub mod id;
pub mod incidents;
pub mod input;
pub mod knowledge;
pub mod linear;
pub mod mentions;
pub mod normalize;
pub mod output;
pub mod parts;
pub mod pipeline;
pub mod plan;
pub mod report;
pub mod rollup;
pub mod sentiment;
pub mod surveys;
pub mod tables;
pub mod text;
pub mod train;
pub mod unit;
