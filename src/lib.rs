//! garrison turns large collections of news into Parquet tables of political events and of sentiment toward
//! foreign forces. ARCHITECTURE.md shows the house; the modules below stand in reading order.

#![warn(missing_docs)]

pub mod changes;
pub mod check;
pub mod dedup;
pub mod disk;
pub mod document;
pub mod evaluate;
pub mod events;
pub mod explain;
pub mod extract;
pub mod findings;
pub mod forecast;
pub mod gate;
pub mod gather;
pub mod id;
pub mod incidents;
pub mod input;
pub mod inputs;
pub mod kept;
pub mod kill;
pub mod knowledge;
pub mod lineage;
pub mod linear;
pub mod log;
pub mod mentions;
pub mod metrics;
pub mod normalize;
pub mod objects;
pub mod output;
pub mod parts;
pub mod pipeline;
pub mod plan;
pub mod report;
pub mod rollup;
pub mod runs;
pub mod sentiment;
pub mod sort;
pub mod surveys;
pub mod tables;
pub mod text;
pub mod train;
pub mod unit;
pub mod validate;
pub mod why;
