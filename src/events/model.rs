//! The coder's learnt part: who acts on whom, and what type of event that is.

use anyhow::{Result, ensure};

use crate::linear::Linear;

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
        let mut bytes = Vec::new();
        let models = [
            &self.types,
            &self.sources,
            &self.targets,
            &self.extents,
            &self.predicates,
            &self.parts,
            &self.forces,
        ];
        for model in models {
            let part = model.to_bytes();
            bytes.extend((part.len() as u32).to_le_bytes());
            bytes.extend(part);
        }
        bytes
    }

    /// Reads the models.
    ///
    /// # Errors
    /// The bytes are no models of this version, or are cut short.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self> {
        let mut next = || -> Result<Linear> {
            ensure!(bytes.len() >= 4, "the model is cut short");
            let (length, rest) = bytes.split_at(4);
            let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
            ensure!(rest.len() >= length, "the model is cut short");
            let (part, behind) = rest.split_at(length);
            bytes = behind;
            Linear::from_bytes(part)
        };
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
