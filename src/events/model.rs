//! The coder's learnt part: who acts on whom, and what type of event that is.

use anyhow::Result;

use crate::linear::{Linear, pack, unpack_next};

/// The class of the model of types that says there is no event.
pub const NO_EVENT: &str = "NONE";

/// Seven linear models in one file.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The type of the event between two actors, or none.
    pub types: Linear,
    /// Whether a noun phrase is the source.
    pub sources: Linear,
    /// Whether a noun phrase is the target of a source.
    pub targets: Linear,
    /// Whether a dependent belongs to the noun phrase of its head.
    pub extents: Linear,
    /// The type of the event that a clause tells, or none.
    pub predicates: Linear,
    /// Whether a noun phrase is source or target of a clause.
    pub parts: Linear,
    /// What happens to a force in a clause that tells an event, or nothing.
    pub forces: Linear,
}

impl Model {
    /// The models as bytes, each behind its length.
    pub fn to_bytes(&self) -> Vec<u8> {
        pack(&[
            &self.types,
            &self.sources,
            &self.targets,
            &self.extents,
            &self.predicates,
            &self.parts,
            &self.forces,
        ])
    }

    /// Reads the models.
    ///
    /// # Errors
    /// The bytes are no models of this version, or are cut short.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self> {
        let mut next = || unpack_next(&mut bytes);
        Ok(Self {
            types: next()?,
            sources: next()?,
            targets: next()?,
            extents: next()?,
            predicates: next()?,
            parts: next()?,
            forces: next()?,
        })
    }
}
