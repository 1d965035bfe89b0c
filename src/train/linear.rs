//! Learns a linear model: multinomial logistic regression by stochastic gradient descent with one rate per weight
//! (AdaGrad, Duchi et al. 2011), weights averaged over the last passes. Deterministic.

use std::collections::HashMap;

use super::random::Random;
use crate::linear::{Features, Linear, softmax, value_of_one};

/// A labelled example.
#[derive(Debug, Clone)]
pub struct Example {
    /// What is seen.
    pub features: Features,
    /// Number of the class.
    pub class: usize,
}

/// How a model is learnt.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Passes over the examples.
    pub epochs: usize,
    /// Highest step.
    pub rate: f32,
    /// Pull of every weight toward zero, per example.
    pub decay: f32,
    /// Features seen in fewer examples are left out.
    pub sightings: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            epochs: 30,
            rate: 0.5,
            decay: 2e-5,
            sightings: 2,
        }
    }
}

/// Learns a model of `classes` from examples.
pub fn train(examples: &[Example], classes: &[String], settings: Settings) -> Linear {
    let keys = keys(examples, settings.sightings);
    let numbers: HashMap<u32, u32> = keys
        .iter()
        .enumerate()
        .map(|(number, key)| (*key, number as u32))
        .collect();
    let known: Vec<Vec<u32>> = examples
        .iter()
        .map(|example| {
            example
                .features
                .hashes
                .iter()
                .filter_map(|hash| numbers.get(hash).copied())
                .collect()
        })
        .collect();
    let width = classes.len();
    let mut weights = vec![0.0_f32; keys.len() * width];
    let mut squares = vec![1e-4_f32; keys.len() * width];
    let mut sum = vec![0.0_f32; keys.len() * width];
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut random = Random(20_240_519);
    let averaged = (settings.epochs / 3).max(1);
    for epoch in 0..settings.epochs {
        random.shuffle(&mut order);
        for example in &order {
            let value = value_of_one(examples[*example].features.hashes.len());
            let mut scores = vec![0.0; width];
            for feature in &known[*example] {
                let row = &weights[*feature as usize * width..][..width];
                scores
                    .iter_mut()
                    .zip(row)
                    .for_each(|(score, weight)| *score += weight * value);
            }
            softmax(&mut scores);
            scores[examples[*example].class] -= 1.0;
            for feature in &known[*example] {
                let at = *feature as usize * width;
                for (class, error) in scores.iter().enumerate() {
                    let gradient = error * value + settings.decay * weights[at + class];
                    squares[at + class] += gradient * gradient;
                    weights[at + class] -= settings.rate * gradient / squares[at + class].sqrt();
                }
            }
        }
        if epoch + averaged >= settings.epochs {
            sum.iter_mut()
                .zip(&weights)
                .for_each(|(sum, weight)| *sum += weight);
        }
    }
    sum.iter_mut().for_each(|weight| *weight /= averaged as f32);
    Linear::new(classes.to_vec(), keys, &sum)
}

/// The features that enough examples have, ascending.
fn keys(examples: &[Example], sightings: u32) -> Vec<u32> {
    let mut seen: HashMap<u32, u32> = HashMap::new();
    for hash in examples.iter().flat_map(|example| &example.features.hashes) {
        *seen.entry(*hash).or_default() += 1;
    }
    let mut keys: Vec<u32> = seen
        .into_iter()
        .filter(|(_, count)| *count >= sightings)
        .map(|(key, _)| key)
        .collect();
    keys.sort_unstable();
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learns_what_tells_classes_apart() {
        let example = |words: &[&str], class| {
            let mut features = Features::default();
            words.iter().for_each(|word| features.add(&[word]));
            Example {
                features: features.finish(),
                class,
            }
        };
        let examples = [
            example(&["attack", "town"], 0),
            example(&["meet", "town"], 1),
            example(&["attack"], 0),
            example(&["meet"], 1),
        ];
        let model = train(
            &examples,
            &["ASSAULT".into(), "CONSULT".into()],
            Settings {
                sightings: 1,
                ..Settings::default()
            },
        );
        assert_eq!(model.best(&examples[1].features).0, "CONSULT");
        assert_eq!(
            model,
            train(
                &examples,
                &["ASSAULT".into(), "CONSULT".into()],
                Settings {
                    sightings: 1,
                    ..Settings::default()
                }
            )
        );
    }
}
