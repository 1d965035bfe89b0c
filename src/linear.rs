//! A linear model over hashed features: what the coder of events and the judge of sentiment learn with.
//!
//! Multinomial logistic regression. A feature is a 32-bit hash of a few words; its weights for all classes stand in
//! one row of signed bytes, so that scoring is a look into a table and a short sum per feature.

use anyhow::{Result, ensure};
use xxhash_rust::xxh3::xxh3_64;

/// Opens every file of a linear model.
const MAGIC: &[u8; 8] = b"GARLIN01";

/// A learnt model.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    classes: Vec<String>,
    /// Hashes of features, ascending.
    keys: Vec<u32>,
    /// Where keys are looked up: the number of a key plus one at its hash's place or behind it, zero where none is.
    slots: Vec<u32>,
    /// One row of `classes` weights per key, in steps of `step`.
    rows: Vec<i8>,
    step: f32,
}

/// Models as bytes, each behind its length.
pub fn pack(models: &[&Linear]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for model in models {
        let part = model.to_bytes();
        bytes.extend((part.len() as u32).to_le_bytes());
        bytes.extend(part);
    }
    bytes
}

/// Takes the next of packed models off the front.
///
/// # Errors
/// The bytes are no models of this version, or are cut short.
pub fn unpack_next(bytes: &mut &[u8]) -> Result<Linear> {
    ensure!(bytes.len() >= 4, "the model is cut short");
    let (length, rest) = bytes.split_at(4);
    let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
    ensure!(rest.len() >= length, "the model is cut short");
    let (part, behind) = rest.split_at(length);
    *bytes = behind;
    Linear::from_bytes(part)
}

/// Features of one example, collected under hashes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Features {
    /// Hashes, each once after [`Features::finish`].
    pub hashes: Vec<u32>,
}

impl Features {
    /// Adds a feature made of parts, such as a template's name and two lemmas.
    pub fn add(&mut self, parts: &[&str]) {
        let mut key = [0_u8; 96];
        let mut length = 0;
        for part in parts {
            let room = (key.len() - length).saturating_sub(1).min(part.len());
            key[length..length + room].copy_from_slice(&part.as_bytes()[..room]);
            length += room;
            if length < key.len() {
                key[length] = b'\t';
                length += 1;
            }
        }
        self.hashes.push(xxh3_64(&key[..length]) as u32);
    }

    /// Sorts the hashes and leaves each once.
    pub fn finish(mut self) -> Self {
        self.hashes.sort_unstable();
        self.hashes.dedup();
        self
    }
}

impl Linear {
    /// A model of classes, keys in ascending order and their rows of weights.
    pub fn new(classes: Vec<String>, keys: Vec<u32>, weights: &[f32]) -> Self {
        let largest = weights
            .iter()
            .fold(1e-6_f32, |largest, weight| largest.max(weight.abs()));
        let step = largest / f32::from(i8::MAX);
        let rows = weights
            .iter()
            .map(|weight| (weight / step).round() as i8)
            .collect();
        Self {
            classes,
            slots: slots(&keys),
            keys,
            rows,
            step,
        }
    }

    /// Names of the classes, in the order of the scores.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Number of features that have weights.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Hashes of the features that have weights, ascending.
    pub fn keys(&self) -> &[u32] {
        &self.keys
    }

    /// Weights of all features, a row of as many as there are classes for each key, in steps of [`Linear::step`].
    pub fn rows(&self) -> &[i8] {
        &self.rows
    }

    /// What one step of a weight counts.
    pub fn step(&self) -> f32 {
        self.step
    }

    /// Whether the model knows no feature.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The row of a feature, if it has weights.
    fn row(&self, hash: u32) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            let row = (self.slots[slot] as usize).checked_sub(1)?;
            if self.keys[row] == hash {
                return Some(row);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// The probability of each class. Features count by one over the root of their number, so that long sentences
    /// are not surer than short ones.
    pub fn probabilities(&self, features: &Features) -> Vec<f32> {
        let width = self.classes.len();
        let mut scores = vec![0.0; width];
        for hash in &features.hashes {
            if let Some(row) = self.row(*hash) {
                let row = &self.rows[row * width..(row + 1) * width];
                scores
                    .iter_mut()
                    .zip(row)
                    .for_each(|(score, weight)| *score += f32::from(*weight));
            }
        }
        let factor = self.step * value_of_one(features.hashes.len());
        scores.iter_mut().for_each(|score| *score *= factor);
        softmax(&mut scores);
        scores
    }

    /// The likeliest class and its probability.
    pub fn best(&self, features: &Features) -> (&str, f32) {
        let probabilities = self.probabilities(features);
        let best = probabilities
            .iter()
            .enumerate()
            .max_by(|one, other| one.1.total_cmp(other.1));
        best.map_or(("", 0.0), |(class, probability)| {
            (&self.classes[class], *probability)
        })
    }

    /// The model as bytes: magic, counts, step, class names, keys, rows; integers little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend((self.classes.len() as u32).to_le_bytes());
        bytes.extend((self.keys.len() as u32).to_le_bytes());
        bytes.extend(self.step.to_le_bytes());
        for class in &self.classes {
            bytes.extend((class.len() as u32).to_le_bytes());
            bytes.extend(class.as_bytes());
        }
        self.keys.iter().for_each(|key| bytes.extend(key.to_le_bytes()));
        bytes.extend(self.rows.iter().map(|weight| weight.to_le_bytes()[0]));
        bytes
    }

    /// Reads a model.
    ///
    /// # Errors
    /// The bytes are no model of this version, or are cut short.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        ensure!(bytes.starts_with(MAGIC), "not a linear model of this version");
        let mut rest = &bytes[MAGIC.len()..];
        let classes = number(&mut rest)? as usize;
        let keys = number(&mut rest)? as usize;
        let step = f32::from_bits(number(&mut rest)?);
        let mut names = Vec::new();
        for _ in 0..classes {
            let length = number(&mut rest)? as usize;
            ensure!(rest.len() >= length, "the model is cut short");
            names.push(String::from_utf8_lossy(&rest[..length]).into_owned());
            rest = &rest[length..];
        }
        ensure!(rest.len() == keys * 4 + keys * classes, "the model is cut short");
        let (hashes, rows) = rest.split_at(keys * 4);
        let hashes = hashes
            .chunks_exact(4)
            .map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]));
        let keys: Vec<u32> = hashes.collect();
        Ok(Self {
            classes: names,
            slots: slots(&keys),
            keys,
            rows: rows.iter().map(|byte| i8::from_le_bytes([*byte])).collect(),
            step,
        })
    }
}

/// An open table of keys, half empty.
fn slots(keys: &[u32]) -> Vec<u32> {
    let mut slots = vec![0; (keys.len() * 2 + 1).next_power_of_two()];
    let mask = slots.len() - 1;
    for (row, key) in keys.iter().enumerate() {
        let mut slot = *key as usize & mask;
        while slots[slot] != 0 {
            slot = (slot + 1) & mask;
        }
        slots[slot] = row as u32 + 1;
    }
    slots
}

/// What one feature counts where there are `count`.
pub fn value_of_one(count: usize) -> f32 {
    1.0 / (count.max(1) as f32).sqrt()
}

/// Turns scores into probabilities.
pub fn softmax(scores: &mut [f32]) {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - largest).exp();
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}

fn number(rest: &mut &[u8]) -> Result<u32> {
    ensure!(rest.len() >= 4, "the model is cut short");
    let (four, behind) = rest.split_at(4);
    *rest = behind;
    Ok(u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_survives_its_bytes() {
        let model = Linear::new(
            vec!["no".into(), "yes".into()],
            vec![3, 9],
            &[0.5, -0.5, -1.0, 1.0],
        );
        assert_eq!(Linear::from_bytes(&model.to_bytes()).unwrap(), model);
        assert!(Linear::from_bytes(&model.to_bytes()[..30]).is_err());
        let features = Features { hashes: vec![9] };
        assert_eq!(model.best(&features).0, "yes");
    }
}
