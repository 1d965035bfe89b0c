//! Gradients of the reader's network, written out by hand, and the optimizer (Kingma & Ba 2015, "Adam").
//!
//! A batch is cut into a fixed number of shards, whose gradients are added in a fixed order, so that training
//! gives the same model with any number of threads.

use crate::text::network::{
    self, HIGHWAY, LANES, Layout, Masks, Pass, ROOT_DISTANCE, Shape, distance_bucket, multiply, reset,
    softmax_rows,
};
use crate::train::random::Random;
use std::ops::Range;

/// Row number of a feature without an embedding.
pub const NO_ROW: u32 = u32::MAX;

/// A sentence ready for training; lists have one entry per token or none at all.
#[derive(Clone, Debug, Default)]
pub struct Example {
    /// Embedding rows of the token's features, `NO_ROW` where there is none.
    pub rows: Vec<Vec<u32>>,
    /// Tag numbers; empty if the sentence has no tags.
    pub tags: Vec<u16>,
    /// Heads, 0 for the root; empty if the sentence has no tree.
    pub heads: Vec<u16>,
    /// Label numbers; empty if the sentence has no tree.
    pub labels: Vec<u16>,
    /// Name label numbers; empty if names are not marked.
    pub names: Vec<u16>,
}

impl Example {
    /// Number of words.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True if there is no word.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// How training is slowed down so that it does not learn by heart.
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    /// Share of each layer's inputs.
    pub layer: f32,
    /// Share of the role vectors.
    pub role: f32,
}

/// The gradient of one shard.
#[derive(Default)]
pub struct Gradient {
    /// With respect to the dense parameters.
    pub dense: Vec<f32>,
    /// With respect to the summed embeddings, `[tokens][width]`.
    pub inputs: Vec<f32>,
    /// Summed losses of arcs, labels, tags and names.
    pub loss: [f32; 4],
    pass: Pass,
    work: Work,
}

#[derive(Default)]
struct Work {
    roles: Vec<f32>,
    seekers: Vec<f32>,
    head_rows: Vec<f32>,
    head_gradients: Vec<f32>,
    hidden: Vec<f32>,
    dependents: Vec<f32>,
    above: Vec<f32>,
    below: Vec<f32>,
    gates: Vec<f32>,
    tags: Vec<f32>,
}

/// Transposed weight matrices in the places of the originals.
pub fn transpose_weights(parameters: &[f32], layout: &Layout, out: &mut Vec<f32>) {
    let Shape {
        width,
        arc,
        label,
        tags,
        labels,
        names,
        ..
    } = layout.shape;
    out.resize(parameters.len(), 0.0);
    let mut transpose = |at: &Range<usize>, rows: usize, columns: usize| {
        let (from, to) = (&parameters[at.clone()], &mut out[at.clone()]);
        for row in 0..rows {
            for column in 0..columns {
                to[column * rows + row] = from[row * columns + column];
            }
        }
    };
    for layer in &layout.layers {
        transpose(&layer.weight, width, 3 * width);
    }
    transpose(&layout.tag_weight, width, tags);
    transpose(&layout.tag_feed, tags, width);
    transpose(&layout.name_weight, width, names);
    transpose(&layout.role_weight, width, 2 * (arc + label));
    transpose(&layout.bilinear, arc, arc);
    transpose(&layout.label_weight, label, labels);
}

/// Computes the gradient of the summed cross-entropies of a shard. `flipped` comes from `transpose_weights`.
pub fn gradient(
    parameters: &[f32],
    flipped: &[f32],
    embeddings: &[f32],
    layout: &Layout,
    examples: &[&Example],
    (dropout, random): (Dropout, &mut Random),
    out: &mut Gradient,
) {
    let width = layout.shape.width;
    let mut sentences: Vec<Range<usize>> = Vec::new();
    for example in examples {
        let start = sentences.last().map_or(0, |s| s.end);
        sentences.push(start..start + example.rows.len());
    }
    let tokens = sentences.last().map_or(0, |s| s.end);
    let Gradient {
        dense,
        inputs,
        loss,
        pass,
        work,
    } = out;
    reset(dense, layout.total);
    *loss = [0.0; 4];
    if pass.x.is_empty() {
        pass.x.push(Vec::new());
    }
    reset(&mut pass.x[0], tokens * width);
    let rows = examples.iter().flat_map(|example| &example.rows);
    for (sum, rows) in pass.x[0].chunks_exact_mut(width).zip(rows) {
        for &row in rows.iter().filter(|&&row| row != NO_ROW) {
            for (value, add) in sum.iter_mut().zip(&embeddings[row as usize * width..]) {
                *value += add;
            }
        }
    }
    let masks = draw_masks(layout, sentences.len(), tokens, dropout, random);
    network::encode(parameters, layout, &sentences, Some(&masks), pass);
    let shape = layout.shape;
    reset(&mut work.roles, tokens * 2 * (shape.arc + shape.label));
    reset(&mut work.seekers, tokens * shape.arc);
    for (sentence, example) in sentences
        .iter()
        .zip(examples)
        .filter(|(_, example)| !example.heads.is_empty())
    {
        loss[0] += arcs_backward(parameters, layout, sentence, example, pass, work, dense);
        loss[1] += labels_backward(parameters, flipped, layout, sentence, example, pass, work, dense);
    }
    roles_backward(flipped, layout, &sentences, &masks, pass, work, dense);
    let gold_tags = laid_out(examples, |example| &example.tags);
    let gold_names = laid_out(examples, |example| &example.names);
    for index in (0..shape.layers).rev() {
        if index + 1 == shape.tag_layer {
            loss[3] = names_backward(flipped, layout, &gold_names, pass, work, dense);
            loss[2] = tags_backward(flipped, layout, &gold_tags, pass, work, dense);
        }
        layer_backward(
            parameters, flipped, layout, index, &sentences, &masks, pass, work, dense,
        );
    }
    add_columns(&work.above, &mut dense[layout.input_bias.clone()]);
    inputs.clone_from(&work.above);
}

/// The number of a token whose class is not known.
const UNKNOWN: u16 = u16::MAX;

/// One class per token of the batch, `UNKNOWN` for sentences without.
fn laid_out<'e>(examples: &[&'e Example], list: impl Fn(&'e Example) -> &'e Vec<u16>) -> Vec<u16> {
    let mut out = Vec::new();
    for &example in examples {
        let list = list(example);
        if list.is_empty() {
            out.resize(out.len() + example.len(), UNKNOWN);
        } else {
            out.extend_from_slice(list);
        }
    }
    out
}

fn draw_masks(
    layout: &Layout,
    sentences: usize,
    tokens: usize,
    dropout: Dropout,
    random: &mut Random,
) -> Masks {
    let Shape {
        width,
        layers,
        arc,
        label,
        ..
    } = layout.shape;
    let mut draw = |len: usize, share: f32| -> Vec<f32> {
        (0..len)
            .map(|_| {
                if random.share() < share {
                    0.0
                } else {
                    1.0 / (1.0 - share)
                }
            })
            .collect()
    };
    Masks {
        layers: (0..layers)
            .map(|_| draw(sentences * width, dropout.layer))
            .collect(),
        roles: draw(tokens * 2 * (arc + label), dropout.role),
        tops: draw(sentences * width, dropout.layer),
    }
}

/// Adds the column sums of a matrix to a row.
fn add_columns(matrix: &[f32], row: &mut [f32]) {
    for values in matrix.chunks_exact(row.len()) {
        for (sum, value) in row.iter_mut().zip(values) {
            *sum += value;
        }
    }
}

fn arcs_backward(
    parameters: &[f32],
    layout: &Layout,
    sentence: &Range<usize>,
    example: &Example,
    pass: &mut Pass,
    work: &mut Work,
    dense: &mut [f32],
) -> f32 {
    let Shape { arc, label, .. } = layout.shape;
    let roles = 2 * (arc + label);
    let tokens = sentence.len();
    let columns = network::score_arcs(parameters, layout, sentence, pass);
    let mut loss = 0.0;
    for (token, row) in pass.arcs.chunks_exact_mut(columns).enumerate() {
        softmax_rows(&mut row[..tokens + 1], tokens + 1);
        row[tokens + 1..].fill(0.0);
        let gold = usize::from(example.heads[token]);
        loss -= row[gold].max(1e-30).ln();
        row[gold] -= 1.0;
        let distance = &mut dense[layout.distance_arc.clone()];
        distance[ROOT_DISTANCE] += row[0];
        for head in 0..tokens {
            distance[distance_bucket(token, head)] += row[head + 1];
        }
    }
    reset(&mut work.head_rows, columns * arc);
    work.head_rows[..arc].copy_from_slice(&parameters[layout.root_arc.clone()]);
    for (index, token) in sentence.clone().enumerate() {
        work.head_rows[(index + 1) * arc..][..arc].copy_from_slice(&pass.roles[token * roles + arc..][..arc]);
    }
    let seekers = &mut work.seekers[sentence.start * arc..sentence.end * arc];
    multiply(
        seekers,
        &pass.arcs,
        (columns, 1),
        &work.head_rows,
        (tokens, columns, arc),
    );
    reset(&mut work.head_gradients, columns * arc);
    let seekers = &pass.seekers[sentence.start * arc..sentence.end * arc];
    multiply(
        &mut work.head_gradients,
        &pass.arcs,
        (1, columns),
        seekers,
        (columns, tokens, arc),
    );
    add_columns(&work.head_gradients[..arc], &mut dense[layout.root_arc.clone()]);
    for (index, token) in sentence.clone().enumerate() {
        let row = &work.head_gradients[(index + 1) * arc..][..arc];
        add_columns(row, &mut work.roles[token * roles + arc..][..arc]);
    }
    loss
}

#[allow(clippy::too_many_arguments)]
fn labels_backward(
    parameters: &[f32],
    flipped: &[f32],
    layout: &Layout,
    sentence: &Range<usize>,
    example: &Example,
    pass: &mut Pass,
    work: &mut Work,
    dense: &mut [f32],
) -> f32 {
    let Shape {
        arc, label, labels, ..
    } = layout.shape;
    let roles = 2 * (arc + label);
    let tokens = sentence.len();
    network::score_labels(parameters, layout, sentence, &example.heads, pass);
    softmax_rows(&mut pass.labels, labels);
    let mut loss = 0.0;
    for (row, &gold) in pass.labels.chunks_exact_mut(labels).zip(&example.labels) {
        loss -= row[usize::from(gold)].max(1e-30).ln();
        row[usize::from(gold)] -= 1.0;
    }
    add_columns(&pass.labels, &mut dense[layout.label_bias.clone()]);
    let weight = &mut dense[layout.label_weight.clone()];
    multiply(
        weight,
        &pass.hidden,
        (1, label),
        &pass.labels,
        (label, tokens, labels),
    );
    reset(&mut work.hidden, tokens * label);
    let weight = &flipped[layout.label_weight.clone()];
    multiply(
        &mut work.hidden,
        &pass.labels,
        (labels, 1),
        weight,
        (tokens, labels, label),
    );
    for (gradient, value) in work.hidden.iter_mut().zip(&pass.hidden) {
        if *value <= 0.0 {
            *gradient = 0.0;
        }
    }
    for (index, row) in work.hidden.chunks_exact(label).enumerate() {
        let head = usize::from(example.heads[index]);
        add_columns(
            row,
            &mut work.roles[(sentence.start + index) * roles + 2 * arc..][..label],
        );
        let bucket = if head == 0 {
            ROOT_DISTANCE
        } else {
            distance_bucket(index, head - 1)
        };
        add_columns(
            row,
            &mut dense[layout.distance_label.clone()][bucket * label..][..label],
        );
        if head > 0 {
            let at = (sentence.start + head - 1) * roles + 2 * arc + label;
            add_columns(row, &mut work.roles[at..][..label]);
        }
    }
    loss
}

fn roles_backward(
    flipped: &[f32],
    layout: &Layout,
    sentences: &[Range<usize>],
    masks: &Masks,
    pass: &Pass,
    work: &mut Work,
    dense: &mut [f32],
) {
    let Shape {
        width,
        arc,
        label,
        layers,
        ..
    } = layout.shape;
    let roles = 2 * (arc + label);
    let tokens = work.roles.len() / roles;
    add_columns(&work.seekers, &mut dense[layout.head_prior.clone()]);
    let bilinear = &mut dense[layout.bilinear.clone()];
    multiply(
        bilinear,
        &pass.dependents,
        (1, arc),
        &work.seekers,
        (arc, tokens, arc),
    );
    reset(&mut work.dependents, tokens * arc);
    let bilinear = &flipped[layout.bilinear.clone()];
    multiply(
        &mut work.dependents,
        &work.seekers,
        (arc, 1),
        bilinear,
        (tokens, arc, arc),
    );
    for token in 0..tokens {
        let row = &mut work.roles[token * roles..][..roles];
        add_columns(&work.dependents[token * arc..][..arc], &mut row[..arc]);
        let (values, mask) = (
            &pass.roles[token * roles..][..roles],
            &masks.roles[token * roles..][..roles],
        );
        for (column, gradient) in row.iter_mut().enumerate() {
            *gradient *= if column < 2 * arc && values[column] <= 0.0 {
                0.0
            } else {
                mask[column]
            };
        }
    }
    add_columns(&work.roles, &mut dense[layout.role_bias.clone()]);
    let weight = &mut dense[layout.role_weight.clone()];
    multiply(
        weight,
        &pass.dropped[layers],
        (1, width),
        &work.roles,
        (width, tokens, roles),
    );
    reset(&mut work.above, tokens * width);
    let weight = &flipped[layout.role_weight.clone()];
    multiply(
        &mut work.above,
        &work.roles,
        (roles, 1),
        weight,
        (tokens, roles, width),
    );
    mask_rows(&mut work.above, sentences, &masks.tops, width);
}

/// Multiplies each sentence's rows by its mask.
fn mask_rows(matrix: &mut [f32], sentences: &[Range<usize>], masks: &[f32], width: usize) {
    for (sentence, mask) in sentences.iter().zip(masks.chunks_exact(width)) {
        for row in matrix[sentence.start * width..sentence.end * width].chunks_exact_mut(width) {
            for (value, mask) in row.iter_mut().zip(mask) {
                *value *= mask;
            }
        }
    }
}

fn tags_backward(
    flipped: &[f32],
    layout: &Layout,
    gold: &[u16],
    pass: &Pass,
    work: &mut Work,
    dense: &mut [f32],
) -> f32 {
    let Shape { width, tags, .. } = layout.shape;
    let tokens = gold.len();
    multiply(
        &mut dense[layout.tag_feed.clone()],
        &pass.tags,
        (1, tags),
        &work.above,
        (tags, tokens, width),
    );
    reset(&mut work.tags, tokens * tags);
    let feed = &flipped[layout.tag_feed.clone()];
    multiply(
        &mut work.tags,
        &work.above,
        (width, 1),
        feed,
        (tokens, width, tags),
    );
    let mut loss = 0.0;
    let rows = work.tags.chunks_exact_mut(tags).zip(pass.tags.chunks_exact(tags));
    for ((gradient, shares), &gold) in rows.zip(gold) {
        let mean: f32 = gradient.iter().zip(shares).map(|(g, p)| g * p).sum();
        let own = if gold == UNKNOWN { 0.0 } else { 1.0 };
        for (gradient, share) in gradient.iter_mut().zip(shares) {
            *gradient = share * (*gradient - mean + own);
        }
        if gold != UNKNOWN {
            gradient[usize::from(gold)] -= 1.0;
            loss -= shares[usize::from(gold)].max(1e-30).ln();
        }
    }
    add_columns(&work.tags, &mut dense[layout.tag_bias.clone()]);
    let weight = &mut dense[layout.tag_weight.clone()];
    multiply(
        weight,
        &pass.tag_input,
        (1, width),
        &work.tags,
        (width, tokens, tags),
    );
    let weight = &flipped[layout.tag_weight.clone()];
    multiply(
        &mut work.above,
        &work.tags,
        (tags, 1),
        weight,
        (tokens, tags, width),
    );
    loss
}

fn names_backward(
    flipped: &[f32],
    layout: &Layout,
    gold: &[u16],
    pass: &mut Pass,
    work: &mut Work,
    dense: &mut [f32],
) -> f32 {
    let Shape {
        width,
        names,
        tag_layer,
        ..
    } = layout.shape;
    let tokens = gold.len();
    softmax_rows(&mut pass.names, names);
    let mut loss = 0.0;
    for (row, &gold) in pass.names.chunks_exact_mut(names).zip(gold) {
        if gold == UNKNOWN {
            row.fill(0.0);
        } else {
            loss -= row[usize::from(gold)].max(1e-30).ln();
            row[usize::from(gold)] -= 1.0;
        }
    }
    add_columns(&pass.names, &mut dense[layout.name_bias.clone()]);
    let weight = &mut dense[layout.name_weight.clone()];
    multiply(
        weight,
        &pass.x[tag_layer],
        (1, width),
        &pass.names,
        (width, tokens, names),
    );
    let weight = &flipped[layout.name_weight.clone()];
    multiply(
        &mut work.above,
        &pass.names,
        (names, 1),
        weight,
        (tokens, names, width),
    );
    loss
}

/// Takes `work.above` from the gradient of a layer's output to that of its input.
#[allow(clippy::too_many_arguments)]
fn layer_backward(
    parameters: &[f32],
    flipped: &[f32],
    layout: &Layout,
    index: usize,
    sentences: &[Range<usize>],
    masks: &Masks,
    pass: &Pass,
    work: &mut Work,
    dense: &mut [f32],
) {
    let width = layout.shape.width;
    let layer = &layout.layers[index];
    let tokens = work.above.len() / width;
    reset(&mut work.gates, tokens * 3 * width);
    reset(&mut work.below, tokens * width);
    for sentence in sentences {
        let narrow = sentence.start * width..sentence.end * width;
        let wide = sentence.start * 3 * width..sentence.end * 3 * width;
        let unit = RecurBackward {
            gates: &pass.gates[index][wide.clone()],
            states: &pass.states[index][narrow.clone()],
            x: &pass.x[index][narrow.clone()],
            recurrent: &parameters[layer.state.clone()],
            above: &work.above[narrow.clone()],
            gate_gradients: &mut work.gates[wide],
            highway: &mut work.below[narrow],
            recurrent_gradients: &mut dense[layer.state.clone()],
            width,
        };
        pulp::Arch::new().dispatch(unit);
    }
    add_columns(&work.gates, &mut dense[layer.bias.clone()]);
    let weight = &mut dense[layer.weight.clone()];
    multiply(
        weight,
        &pass.dropped[index],
        (1, width),
        &work.gates,
        (width, tokens, 3 * width),
    );
    reset(&mut work.above, tokens * width);
    let weight = &flipped[layer.weight.clone()];
    multiply(
        &mut work.above,
        &work.gates,
        (3 * width, 1),
        weight,
        (tokens, 3 * width, width),
    );
    mask_rows(&mut work.above, sentences, &masks.layers[index], width);
    for (value, add) in work.above.iter_mut().zip(&work.below) {
        *value += add;
    }
}

struct RecurBackward<'a> {
    gates: &'a [f32],
    states: &'a [f32],
    x: &'a [f32],
    recurrent: &'a [f32],
    above: &'a [f32],
    gate_gradients: &'a mut [f32],
    highway: &'a mut [f32],
    recurrent_gradients: &'a mut [f32],
    width: usize,
}

impl pulp::NullaryFnOnce for RecurBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let width = self.width;
        let tokens = self.states.len() / width;
        for lane in (0..width).step_by(LANES) {
            let backward = lane >= width / 2;
            let see_forget = network::block(self.recurrent, lane);
            let see_output = network::block(self.recurrent, width + lane);
            let (mut sum_forget, mut sum_output) = ([0.0f32; LANES], [0.0f32; LANES]);
            let mut carried = [0.0f32; LANES];
            for step in (0..tokens).rev() {
                let token = if backward { tokens - 1 - step } else { step };
                let before = if backward {
                    token + 1
                } else {
                    token.wrapping_sub(1)
                };
                let previous = if step == 0 {
                    [0.0; LANES]
                } else {
                    network::block(self.states, before * width + lane)
                };
                let at = token * 3 * width + lane;
                let candidate = network::block(self.gates, at);
                let forget = network::block(self.gates, at + width);
                let open = network::block(self.gates, at + 2 * width);
                let state = network::block(self.states, token * width + lane);
                let x = network::block(self.x, token * width + lane);
                let above = network::block(self.above, token * width + lane);
                let mut to_candidate = [0.0f32; LANES];
                let mut to_forget = [0.0f32; LANES];
                let mut to_open = [0.0f32; LANES];
                let mut to_x = [0.0f32; LANES];
                for i in 0..LANES {
                    to_open[i] = above[i] * (state[i] - HIGHWAY * x[i]) * open[i] * (1.0 - open[i]);
                    to_x[i] = above[i] * (1.0 - open[i]) * HIGHWAY;
                    let to_state = above[i] * open[i] + carried[i];
                    to_forget[i] = to_state * (previous[i] - candidate[i]) * forget[i] * (1.0 - forget[i]);
                    to_candidate[i] = to_state * (1.0 - forget[i]);
                    carried[i] =
                        to_state * forget[i] + to_forget[i] * see_forget[i] + to_open[i] * see_output[i];
                    sum_forget[i] += to_forget[i] * previous[i];
                    sum_output[i] += to_open[i] * previous[i];
                }
                self.gate_gradients[at..at + LANES].copy_from_slice(&to_candidate);
                self.gate_gradients[at + width..at + width + LANES].copy_from_slice(&to_forget);
                self.gate_gradients[at + 2 * width..at + 2 * width + LANES].copy_from_slice(&to_open);
                self.highway[token * width + lane..][..LANES].copy_from_slice(&to_x);
            }
            for i in 0..LANES {
                self.recurrent_gradients[lane + i] += sum_forget[i];
                self.recurrent_gradients[width + lane + i] += sum_output[i];
            }
        }
    }
}

/// Adam's memory for one vector of parameters.
pub struct Adam {
    mean: Vec<f32>,
    square: Vec<f32>,
}

impl Adam {
    /// No memory yet, for `len` parameters.
    pub fn new(len: usize) -> Adam {
        Adam {
            mean: vec![0.0; len],
            square: vec![0.0; len],
        }
    }

    /// The two memories: mean and mean square.
    pub fn vectors(&self) -> (&Vec<f32>, &Vec<f32>) {
        (&self.mean, &self.square)
    }

    /// The two memories, to be filled from a kept state.
    pub fn vectors_mut(&mut self) -> (&mut Vec<f32>, &mut Vec<f32>) {
        (&mut self.mean, &mut self.square)
    }

    /// Moves the parameters in `at` against their gradient. `rate` includes the correction for the first steps.
    pub fn step(&mut self, parameters: &mut [f32], gradient: &[f32], at: Range<usize>, rate: f32) {
        // Dozat & Manning 2017 found .9 for both best in parsing; a somewhat longer memory is steadier here.
        const MEAN: f32 = 0.9;
        const SQUARE: f32 = 0.98;
        let memory = self.mean[at.clone()].iter_mut().zip(&mut self.square[at.clone()]);
        for ((parameter, gradient), (mean, square)) in parameters[at].iter_mut().zip(gradient).zip(memory) {
            *mean = MEAN * *mean + (1.0 - MEAN) * gradient;
            *square = SQUARE * *square + (1.0 - SQUARE) * gradient * gradient;
            *parameter -= rate * *mean / (square.sqrt() + 1e-8);
        }
    }

    /// The factor on the learning rate that makes up for memories that start at zero.
    pub fn correction(step: usize) -> f32 {
        let step = step.min(10_000) as i32 + 1;
        (1.0 - 0.98f32.powi(step)).sqrt() / (1.0 - 0.9f32.powi(step))
    }
}

/// First values of the dense parameters: uniform, with the variance that keeps signals of one size.
pub fn first_parameters(layout: &Layout, random: &mut Random) -> Vec<f32> {
    let Shape {
        width,
        arc,
        label,
        tags,
        ..
    } = layout.shape;
    let mut parameters = vec![0.0; layout.total];
    let mut draw = |at: &Range<usize>, inputs: usize| {
        let limit = (3.0 / inputs as f32).sqrt();
        for value in &mut parameters[at.clone()] {
            *value = (2.0 * random.share() - 1.0) * limit;
        }
    };
    for layer in &layout.layers {
        draw(&layer.weight, width);
        draw(&layer.state, 3 * width);
    }
    draw(&layout.tag_weight, width);
    draw(&layout.tag_feed, tags);
    draw(&layout.name_weight, width);
    draw(&layout.role_weight, width);
    draw(&layout.bilinear, arc * 4);
    draw(&layout.root_arc, arc);
    draw(&layout.label_weight, label);
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares the gradient with differences of the loss, for parameters picked all over the network.
    #[test]
    fn gradients_agree_with_differences() {
        let shape = Shape {
            width: 32,
            layers: 2,
            tag_layer: 1,
            arc: 16,
            label: 16,
            tags: 16,
            labels: 16,
            names: 16,
        };
        let layout = Layout::new(shape);
        let mut random = Random(3);
        let mut parameters = first_parameters(&layout, &mut random);
        parameters
            .iter_mut()
            .for_each(|value| *value += 0.1 * (random.share() - 0.5));
        let mut embeddings: Vec<f32> = (0..5 * 32).map(|_| random.share() - 0.5).collect();
        let example = Example {
            rows: vec![vec![0, 1], vec![2], vec![3, 1], vec![4]],
            tags: vec![1, 2, 3, 4],
            heads: vec![2, 0, 4, 2],
            labels: vec![5, 6, 7, 8],
            names: vec![0, 1, 2, 0],
        };
        let bare = Example {
            heads: Vec::new(),
            labels: Vec::new(),
            tags: Vec::new(),
            ..example.clone()
        };
        let none = Dropout {
            layer: 0.0,
            role: 0.0,
        };
        let run = |parameters: &[f32], embeddings: &[f32]| -> Gradient {
            let (mut flipped, mut out) = (Vec::new(), Gradient::default());
            transpose_weights(parameters, &layout, &mut flipped);
            let chance = (none, &mut Random(1));
            gradient(
                parameters,
                &flipped,
                embeddings,
                &layout,
                &[&example, &bare],
                chance,
                &mut out,
            );
            out
        };
        let found = run(&parameters, &embeddings);
        let step = 1e-2;
        for at in (0..layout.total).step_by(97) {
            let kept = parameters[at];
            parameters[at] = kept + step;
            let up: f32 = run(&parameters, &embeddings).loss.iter().sum();
            parameters[at] = kept - step;
            let down: f32 = run(&parameters, &embeddings).loss.iter().sum();
            parameters[at] = kept;
            let (slope, claimed) = ((up - down) / (2.0 * step), found.dense[at]);
            assert!(
                (slope - claimed).abs() < 0.02 + 0.05 * claimed.abs(),
                "{at}: {slope} {claimed}"
            );
        }
        // Row 2 belongs to the second word of both sentences.
        for column in 0..32 {
            let kept = embeddings[64 + column];
            embeddings[64 + column] = kept + step;
            let up: f32 = run(&parameters, &embeddings).loss.iter().sum();
            embeddings[64 + column] = kept - step;
            let down: f32 = run(&parameters, &embeddings).loss.iter().sum();
            embeddings[64 + column] = kept;
            let claimed = found.inputs[32 + column] + found.inputs[5 * 32 + column];
            let slope = (up - down) / (2.0 * step);
            assert!(
                (slope - claimed).abs() < 0.02 + 0.05 * claimed.abs(),
                "{column}: {slope} {claimed}"
            );
        }
    }
}
