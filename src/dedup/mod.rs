//! Which documents tell the same story? Exact and near copies, excerpts, revisions, forms and
//! collections.
//!
//! [`sketch`] reads one document and knows no other; [`cluster`] reads all sketches and no text.
//! Their result does not depend on how the collection was cut or ordered.

mod cluster;
mod explain;
mod postings;
mod relation;
mod sketch;
mod spill;
mod store;
mod template;

pub use cluster::{Duplicate, Duplicates, Options, cluster};
pub use explain::{Evidence, explain};
pub use relation::{Agreement, Comparison, Relation, compare};
pub use sketch::{COARSEST, Origin, SLOTS_KEPT, Scratch, Sketch, sketch};
pub use template::{Verdict, judge};
