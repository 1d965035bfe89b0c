//! The arithmetic of the reader's network: where each parameter lies, and the forward pass.
//!
//! Tokens enter as sums of feature embeddings, pass through a stack of bidirectional simple recurrent units
//! (Lei et al. 2018, "Simple Recurrent Units for Highly Parallelizable Recurrence"), and leave as tag scores
//! (from a lower layer, Søgaard & Goldberg 2016), arc scores and label scores (Dozat & Manning 2017, "Deep
//! Biaffine Attention"). The same functions serve training and use. Every operation is rounded in the same way
//! whatever the instruction set or the number of threads (products are added with one rounding, which
//! processors without that instruction do slowly), so the same sentence gets the same scores on every machine.

use std::ops::Range;

/// Column counts are padded to this, so that every inner loop has a fixed length.
pub const LANES: usize = 16;

/// The score of what cannot be.
pub const NEVER: f32 = -1e9;

/// Signed distances between a token and its head fall into this many buckets; the last one is the root.
pub const DISTANCES: usize = 24;

/// The sizes of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Width of a token's vector; half of it reads forward and half backward.
    pub width: usize,
    /// Number of recurrent layers.
    pub layers: usize,
    /// Tags are read off the output of this many layers.
    pub tag_layer: usize,
    /// Width of the vectors that are compared to score an arc.
    pub arc: usize,
    /// Width of the hidden layer that names an arc.
    pub label: usize,
    /// Number of tags, padded to `LANES`.
    pub tags: usize,
    /// Number of arc labels, padded to `LANES`.
    pub labels: usize,
    /// Number of name labels, padded to `LANES`.
    pub names: usize,
}

/// The places of one recurrent layer's parameters in the flat vector.
#[derive(Clone, Debug)]
pub struct Layer {
    /// `[width][3 * width]`: candidate, forget gate, output gate.
    pub weight: Range<usize>,
    /// `[3 * width]`.
    pub bias: Range<usize>,
    /// `[2 * width]`: what the gates see of the previous state.
    pub state: Range<usize>,
}

/// The places of all dense parameters in one flat vector.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The sizes this layout was made for.
    pub shape: Shape,
    /// Recurrent layers, lowest first.
    pub layers: Vec<Layer>,
    /// `[width]`, added to every token's embedding.
    pub input_bias: Range<usize>,
    /// `[width][tags]`.
    pub tag_weight: Range<usize>,
    /// `[tags]`.
    pub tag_bias: Range<usize>,
    /// `[tags][width]`: expected tag, added to the vectors above the tag layer.
    pub tag_feed: Range<usize>,
    /// `[width][names]`, read off the tag layer's output with the tags fed in.
    pub name_weight: Range<usize>,
    /// `[names]`.
    pub name_bias: Range<usize>,
    /// `[width][2 * arc + 2 * label]`: dependent and head of an arc, dependent and head of a label.
    pub role_weight: Range<usize>,
    /// `[2 * arc + 2 * label]`.
    pub role_bias: Range<usize>,
    /// `[arc][arc]`.
    pub bilinear: Range<usize>,
    /// `[arc]`: how likely a token is to be a head at all.
    pub head_prior: Range<usize>,
    /// `[arc]`: the root as the head of an arc.
    pub root_arc: Range<usize>,
    /// `[DISTANCES]`.
    pub distance_arc: Range<usize>,
    /// `[DISTANCES][label]`; the last row stands for the root.
    pub distance_label: Range<usize>,
    /// `[label][labels]`.
    pub label_weight: Range<usize>,
    /// `[labels]`.
    pub label_bias: Range<usize>,
    /// Number of parameters.
    pub total: usize,
}

impl Layout {
    /// Lays out the parameters of a network of this shape.
    pub fn new(shape: Shape) -> Layout {
        let mut total = 0;
        let mut take = |len: usize| {
            total += len;
            total - len..total
        };
        let Shape {
            width,
            arc,
            label,
            tags,
            labels,
            names,
            ..
        } = shape;
        let layers = (0..shape.layers)
            .map(|_| Layer {
                weight: take(width * 3 * width),
                bias: take(3 * width),
                state: take(2 * width),
            })
            .collect();
        Layout {
            shape,
            layers,
            input_bias: take(width),
            tag_weight: take(width * tags),
            tag_bias: take(tags),
            tag_feed: take(tags * width),
            name_weight: take(width * names),
            name_bias: take(names),
            role_weight: take(width * 2 * (arc + label)),
            role_bias: take(2 * (arc + label)),
            bilinear: take(arc * arc),
            head_prior: take(arc),
            root_arc: take(arc),
            distance_arc: take(DISTANCES),
            distance_label: take(DISTANCES * label),
            label_weight: take(label * labels),
            label_bias: take(labels),
            total,
        }
    }
}

/// The bucket of the distance from token `dependent` to head `head`, both counted from 0.
#[inline(always)]
pub fn distance_bucket(dependent: usize, head: usize) -> usize {
    // Near distances matter singly, far ones in widening steps.
    const STEPS: [u8; 33] = [
        0, 0, 1, 2, 3, 4, 4, 5, 5, 5, 6, 6, 6, 6, 6, 7, 7, 7, 7, 7, 7, 7, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 9,
    ];
    let far = dependent.abs_diff(head).min(STEPS.len() - 1);
    usize::from(STEPS[far]) + if head > dependent { 11 } else { 0 }
}

/// The distance bucket of the root.
pub const ROOT_DISTANCE: usize = DISTANCES - 1;

/// Everything the forward pass computes for a batch of sentences laid end to end; kept for the backward pass
/// and reused from batch to batch.
#[derive(Default)]
pub struct Pass {
    /// Inputs of each layer and, last, the output of the topmost: `[layers + 1][tokens][width]`.
    pub x: Vec<Vec<f32>>,
    /// Inputs of each layer after dropout; unused outside training.
    pub dropped: Vec<Vec<f32>>,
    /// Candidate, forget gate, output gate: `[layers][tokens][3 * width]`.
    pub gates: Vec<Vec<f32>>,
    /// States: `[layers][tokens][width]`.
    pub states: Vec<Vec<f32>>,
    /// What the tags are read from, `[tokens][width]`; kept in training only.
    pub tag_input: Vec<f32>,
    /// Probabilities of tags `[tokens][tags]`.
    pub tags: Vec<f32>,
    /// Scores of name labels `[tokens][names]`.
    pub names: Vec<f32>,
    /// `[tokens][2 * arc + 2 * label]`, see `Layout::role_weight`.
    pub roles: Vec<f32>,
    /// Dependents seen through the bilinear form: `[tokens][arc]`.
    pub seekers: Vec<f32>,
    /// Dependents' vectors copied together: `[tokens][arc]`.
    pub dependents: Vec<f32>,
    /// Heads of one sentence, transposed: `[arc][columns]`.
    pub heads: Vec<f32>,
    /// Arc scores of one sentence: `[tokens][columns]`, column 0 the root, column j the token j - 1.
    pub arcs: Vec<f32>,
    /// Hidden layer of the labels of one sentence: `[tokens][label]`.
    pub hidden: Vec<f32>,
    /// Label scores of one sentence: `[tokens][labels]`.
    pub labels: Vec<f32>,
}

/// Dropout masks of a batch, applied in training only. Values are 0 or 1 / (1 - p).
pub struct Masks {
    /// `[layers][sentences][width]`, one mask for all tokens of a sentence.
    pub layers: Vec<Vec<f32>>,
    /// `[tokens][2 * arc + 2 * label]`.
    pub roles: Vec<f32>,
    /// `[sentences][width]`, for the input of the tag and role layers.
    pub tops: Vec<f32>,
}

/// Sets a buffer's length and clears it.
pub fn reset(buffer: &mut Vec<f32>, len: usize) {
    buffer.clear();
    buffer.resize(len, 0.0);
}

/// Runs the encoder over `pass.x[0]` (filled by the caller with summed embeddings, `[tokens][width]`), leaving
/// tag probabilities, roles and seekers in `pass`. `sentences` are token ranges that follow each other.
pub fn encode(
    parameters: &[f32],
    layout: &Layout,
    sentences: &[Range<usize>],
    masks: Option<&Masks>,
    pass: &mut Pass,
) {
    let Shape {
        width,
        layers,
        tag_layer,
        arc,
        label,
        tags,
        names,
        ..
    } = layout.shape;
    let tokens = sentences.last().map_or(0, |s| s.end);
    pass.x.resize_with(layers + 1, Vec::new);
    pass.dropped.resize_with(layers + 1, Vec::new);
    pass.gates.resize_with(layers, Vec::new);
    pass.states.resize_with(layers, Vec::new);
    add_to_rows(&mut pass.x[0], &parameters[layout.input_bias.clone()]);
    for (index, layer) in layout.layers.iter().enumerate() {
        let (below, above) = pass.x.split_at_mut(index + 1);
        let x = &below[index];
        let input = match masks {
            None => x,
            Some(masks) => {
                drop_rows(
                    x,
                    sentences,
                    &masks.layers[index],
                    width,
                    &mut pass.dropped[index],
                );
                &pass.dropped[index]
            }
        };
        let gates = &mut pass.gates[index];
        let (weight, bias) = (&parameters[layer.weight.clone()], &parameters[layer.bias.clone()]);
        linear(gates, input, weight, bias, (tokens, width, 3 * width));
        let states = &mut pass.states[index];
        // Every value is written below, so old ones may stand until then.
        states.resize(tokens * width, 0.0);
        above[0].resize(tokens * width, 0.0);
        for sentence in sentences {
            recur(
                &mut gates[sentence.start * 3 * width..sentence.end * 3 * width],
                &mut states[sentence.start * width..sentence.end * width],
                &x[sentence.start * width..sentence.end * width],
                &mut above[0][sentence.start * width..sentence.end * width],
                &parameters[layer.state.clone()],
                width,
            );
        }
        if index + 1 == tag_layer {
            let output = &mut above[0];
            if masks.is_some() {
                pass.tag_input.clone_from(output);
            }
            let (weight, bias) = (
                &parameters[layout.tag_weight.clone()],
                &parameters[layout.tag_bias.clone()],
            );
            linear(&mut pass.tags, output, weight, bias, (tokens, width, tags));
            softmax_rows(&mut pass.tags, tags);
            feed_tags(
                output,
                &pass.tags,
                &parameters[layout.tag_feed.clone()],
                (width, tags),
                masks.is_some(),
            );
            let (weight, bias) = (
                &parameters[layout.name_weight.clone()],
                &parameters[layout.name_bias.clone()],
            );
            linear(&mut pass.names, output, weight, bias, (tokens, width, names));
        }
    }
    let top = match masks {
        None => &pass.x[layers],
        Some(masks) => {
            drop_rows(
                &pass.x[layers],
                sentences,
                &masks.tops,
                width,
                &mut pass.dropped[layers],
            );
            &pass.dropped[layers]
        }
    };
    let roles = 2 * (arc + label);
    let (weight, bias) = (
        &parameters[layout.role_weight.clone()],
        &parameters[layout.role_bias.clone()],
    );
    linear(&mut pass.roles, top, weight, bias, (tokens, width, roles));
    // The arc roles are rectified here; label roles only after a dependent and its head are summed.
    rectify_arcs(&mut pass.roles, roles, 2 * arc);
    if let Some(masks) = masks {
        for (value, mask) in pass.roles.iter_mut().zip(&masks.roles) {
            *value *= mask;
        }
    }
    pass.dependents.clear();
    for row in pass.roles.chunks_exact(roles) {
        pass.dependents.extend_from_slice(&row[..arc]);
    }
    let (weight, bias) = (
        &parameters[layout.bilinear.clone()],
        &parameters[layout.head_prior.clone()],
    );
    linear(
        &mut pass.seekers,
        &pass.dependents,
        weight,
        bias,
        (tokens, arc, arc),
    );
}

/// Adds the expected tag's vector to each token's. In use, tags of less than one percent are passed over.
fn feed_tags(
    output: &mut [f32],
    shares: &[f32],
    feed: &[f32],
    (width, tags): (usize, usize),
    training: bool,
) {
    if training {
        return multiply(
            output,
            shares,
            (tags, 1),
            feed,
            (shares.len() / tags, tags, width),
        );
    }
    for (row, shares) in output.chunks_exact_mut(width).zip(shares.chunks_exact(tags)) {
        for (tag, &share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.01) {
            for (value, add) in row.iter_mut().zip(&feed[tag * width..]) {
                *value += share * add;
            }
        }
    }
}

/// Scores all arcs of one sentence into `pass.arcs`; returns the number of columns, which is the number of
/// tokens plus one, padded to `LANES`.
pub fn score_arcs(parameters: &[f32], layout: &Layout, sentence: &Range<usize>, pass: &mut Pass) -> usize {
    let Shape { arc, label, .. } = layout.shape;
    let tokens = sentence.len();
    let columns = (tokens + 1).next_multiple_of(LANES);
    let roles = 2 * (arc + label);
    reset(&mut pass.heads, arc * columns);
    for (row, &value) in parameters[layout.root_arc.clone()].iter().enumerate() {
        pass.heads[row * columns] = value;
    }
    for (column, token) in sentence.clone().enumerate() {
        let head = &pass.roles[token * roles + arc..][..arc];
        for (row, &value) in head.iter().enumerate() {
            pass.heads[row * columns + column + 1] = value;
        }
    }
    let distance = &parameters[layout.distance_arc.clone()];
    reset(&mut pass.arcs, tokens * columns);
    for (dependent, row) in pass.arcs.chunks_exact_mut(columns).enumerate() {
        row[0] = distance[ROOT_DISTANCE];
        for head in 0..tokens {
            row[head + 1] = distance[distance_bucket(dependent, head)];
        }
        // No word is its own head, and the columns that fill up the row are no words.
        row[dependent + 1] = NEVER;
        row[tokens + 1..].fill(NEVER);
    }
    let seekers = &pass.seekers[sentence.start * arc..sentence.end * arc];
    multiply(
        &mut pass.arcs,
        seekers,
        (arc, 1),
        &pass.heads,
        (tokens, arc, columns),
    );
    columns
}

/// Scores the labels of the arcs of one sentence into `pass.labels`, given the heads (0 the root, else the
/// token's number from 1).
pub fn score_labels(
    parameters: &[f32],
    layout: &Layout,
    sentence: &Range<usize>,
    heads: &[u16],
    pass: &mut Pass,
) {
    let Shape {
        arc, label, labels, ..
    } = layout.shape;
    let roles = 2 * (arc + label);
    let tokens = sentence.len();
    let distance = &parameters[layout.distance_label.clone()];
    pass.hidden.clear();
    for (dependent, &head) in heads.iter().enumerate() {
        let head = usize::from(head);
        let own = &pass.roles[(sentence.start + dependent) * roles + 2 * arc..][..label];
        let bucket = if head == 0 {
            ROOT_DISTANCE
        } else {
            distance_bucket(dependent, head - 1)
        };
        let start = pass.hidden.len();
        pass.hidden
            .extend(own.iter().zip(&distance[bucket * label..]).map(|(a, b)| a + b));
        if head > 0 {
            let other = &pass.roles[(sentence.start + head - 1) * roles + 2 * arc + label..][..label];
            for (value, add) in pass.hidden[start..].iter_mut().zip(other) {
                *value += add;
            }
        }
        for value in &mut pass.hidden[start..] {
            *value = value.max(0.0);
        }
    }
    let (weight, bias) = (
        &parameters[layout.label_weight.clone()],
        &parameters[layout.label_bias.clone()],
    );
    linear(
        &mut pass.labels,
        &pass.hidden,
        weight,
        bias,
        (tokens, label, labels),
    );
}

/// Adds a row to every row of a matrix.
fn add_to_rows(matrix: &mut [f32], row: &[f32]) {
    for values in matrix.chunks_exact_mut(row.len()) {
        for (value, add) in values.iter_mut().zip(row) {
            *value += add;
        }
    }
}

/// Copies a matrix with each sentence's mask applied to its rows.
fn drop_rows(x: &[f32], sentences: &[Range<usize>], masks: &[f32], width: usize, out: &mut Vec<f32>) {
    out.clear();
    for (sentence, mask) in sentences.iter().zip(masks.chunks_exact(width)) {
        for row in x[sentence.start * width..sentence.end * width].chunks_exact(width) {
            out.extend(row.iter().zip(mask).map(|(value, mask)| value * mask));
        }
    }
}

/// Sets negative values to zero in the first `arcs` columns of each row.
fn rectify_arcs(matrix: &mut [f32], columns: usize, arcs: usize) {
    for row in matrix.chunks_exact_mut(columns) {
        for value in &mut row[..arcs] {
            *value = value.max(0.0);
        }
    }
}

/// The highway carries inputs scaled by this, so that variance is kept from layer to layer (Lei et al. 2018).
pub const HIGHWAY: f32 = 1.732_050_8;

/// One recurrent layer over one sentence. `gates` holds candidate and raw gates on entry, candidate and opened
/// gates on return. The lower half of the lanes reads forward, the upper half backward.
pub fn recur(
    gates: &mut [f32],
    states: &mut [f32],
    x: &[f32],
    out: &mut [f32],
    recurrent: &[f32],
    width: usize,
) {
    pulp::Arch::new().dispatch(Recur {
        gates,
        states,
        x,
        out,
        recurrent,
        width,
    });
}

struct Recur<'a> {
    gates: &'a mut [f32],
    states: &'a mut [f32],
    x: &'a [f32],
    out: &'a mut [f32],
    recurrent: &'a [f32],
    width: usize,
}

impl pulp::NullaryFnOnce for Recur<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Recur {
            gates,
            states,
            x,
            out,
            recurrent,
            width,
        } = self;
        let tokens = states.len() / width;
        for lane in (0..width).step_by(LANES) {
            let backward = lane >= width / 2;
            let see_forget = block(recurrent, lane);
            let see_output = block(recurrent, width + lane);
            let mut state = [0.0f32; LANES];
            for step in 0..tokens {
                let token = if backward { tokens - 1 - step } else { step };
                let at = token * 3 * width + lane;
                let candidate = block(gates, at);
                let mut forget = block(gates, at + width);
                let mut open = block(gates, at + 2 * width);
                let input = block(x, token * width + lane);
                let mut result = [0.0f32; LANES];
                for i in 0..LANES {
                    forget[i] = sigmoid(forget[i] + see_forget[i] * state[i]);
                    open[i] = sigmoid(open[i] + see_output[i] * state[i]);
                    state[i] = forget[i] * state[i] + (1.0 - forget[i]) * candidate[i];
                    result[i] = open[i] * state[i] + (1.0 - open[i]) * HIGHWAY * input[i];
                }
                gates[at + width..at + width + LANES].copy_from_slice(&forget);
                gates[at + 2 * width..at + 2 * width + LANES].copy_from_slice(&open);
                states[token * width + lane..][..LANES].copy_from_slice(&state);
                out[token * width + lane..][..LANES].copy_from_slice(&result);
            }
        }
    }
}

/// `LANES` values from `at`; all matrices are padded so that they exist.
#[inline(always)]
pub fn block(values: &[f32], at: usize) -> [f32; LANES] {
    let mut out = [0.0; LANES];
    out.copy_from_slice(&values[at..at + LANES]);
    out
}

/// e to the x, within 2e-7 relative: two to the rounded part by its bits, the rest by a polynomial.
/// Written out because the system's function may differ between machines.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it leaves the nearest integer in the low bits.
    let y = x.clamp(-87.0, 87.0) * std::f32::consts::LOG2_E;
    let shifted = y + ROUND;
    let rest = (y - (shifted - ROUND)) * std::f32::consts::LN_2;
    let power = f32::from_bits((shifted.to_bits().wrapping_add(127)) << 23);
    let series = 1.0
        + rest
            * (1.0
                + rest
                    * (0.5 + rest * (1.0 / 6.0 + rest * (1.0 / 24.0 + rest * (1.0 / 120.0 + rest / 720.0)))));
    power * series
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Turns each row of scores into probabilities.
pub fn softmax_rows(matrix: &mut [f32], columns: usize) {
    pulp::Arch::new().dispatch(Softmax { matrix, columns });
}

/// The best column of a row of scores and what is needed to tell any column's probability.
#[derive(Clone, Copy, Debug, Default)]
pub struct Best {
    /// The column with the highest score, the first of equals.
    pub column: usize,
    /// Its score.
    pub score: f32,
    /// Sum of e to the (score - highest score) over the row.
    pub sum: f32,
}

impl Best {
    /// The probability of a column with this score.
    #[inline]
    pub fn share(&self, score: f32) -> f32 {
        exp(score - self.score) / self.sum
    }
}

/// Finds the best of each row; columns are a multiple of `LANES`.
pub fn best_rows(matrix: &[f32], columns: usize, out: &mut Vec<Best>) {
    out.clear();
    pulp::Arch::new().dispatch(BestRows { matrix, columns, out });
}

struct BestRows<'a> {
    matrix: &'a [f32],
    columns: usize,
    out: &'a mut Vec<Best>,
}

impl pulp::NullaryFnOnce for BestRows<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for row in self.matrix.chunks_exact(self.columns) {
            let mut tops = [f32::MIN; LANES];
            let mut places = [0u32; LANES];
            for (number, values) in row.chunks_exact(LANES).enumerate() {
                for i in 0..LANES {
                    let better = values[i] > tops[i];
                    tops[i] = if better { values[i] } else { tops[i] };
                    places[i] = if better { number as u32 } else { places[i] };
                }
            }
            let (mut column, mut score) = (0, f32::MIN);
            for i in 0..LANES {
                let place = places[i] as usize * LANES + i;
                if tops[i] > score || (tops[i] == score && place < column) {
                    (column, score) = (place, tops[i]);
                }
            }
            let mut strands = [0.0f32; LANES];
            for values in row.chunks_exact(LANES) {
                for i in 0..LANES {
                    strands[i] += exp(values[i] - score);
                }
            }
            self.out.push(Best {
                column,
                score,
                sum: strands.iter().sum(),
            });
        }
    }
}

struct Softmax<'a> {
    matrix: &'a mut [f32],
    columns: usize,
}

impl pulp::NullaryFnOnce for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for row in self.matrix.chunks_exact_mut(self.columns) {
            let top = row.iter().copied().fold(f32::MIN, f32::max);
            for value in row.iter_mut() {
                *value = exp(*value - top);
            }
            let scale = 1.0 / sum(row);
            for value in row.iter_mut() {
                *value *= scale;
            }
        }
    }
}

/// The sum of a row, taken in `LANES` strands so that it can be added in parallel.
#[inline(always)]
fn sum(row: &[f32]) -> f32 {
    let mut strands = [0.0f32; LANES];
    let whole = row.len() - row.len() % LANES;
    for values in row[..whole].chunks_exact(LANES) {
        for i in 0..LANES {
            strands[i] += values[i];
        }
    }
    strands.iter().sum::<f32>() + row[whole..].iter().sum::<f32>()
}

/// `c += a * b` for row-major `c` `[rows][columns]` and `b` `[depth][columns]`; element (i, p) of `a` lies at
/// `i * strides.0 + p * strides.1`. `sizes` are (rows, depth, columns), columns a multiple of `LANES`.
pub fn multiply(c: &mut [f32], a: &[f32], strides: (usize, usize), b: &[f32], sizes: (usize, usize, usize)) {
    debug_assert!(
        sizes.2.is_multiple_of(LANES) && c.len() >= sizes.0 * sizes.2 && b.len() >= sizes.1 * sizes.2
    );
    pulp::Arch::new().dispatch(Multiply {
        c,
        a,
        strides,
        b,
        start: None,
        sizes,
    });
}

/// `out = x * weight + bias` for `x` `[rows][depth]`; `sizes` as in `multiply`, any depth.
fn linear(out: &mut Vec<f32>, x: &[f32], weight: &[f32], bias: &[f32], sizes: (usize, usize, usize)) {
    let (rows, depth, columns) = sizes;
    // Every value is written, so old ones may stand until then.
    out.resize(rows * columns, 0.0);
    let start = Some(bias);
    pulp::Arch::new().dispatch(Multiply {
        c: out,
        a: x,
        strides: (depth, 1),
        b: weight,
        start,
        sizes,
    });
}

struct Multiply<'a> {
    c: &'a mut [f32],
    a: &'a [f32],
    strides: (usize, usize),
    b: &'a [f32],
    /// If there is one, every row of the product starts from this one and replaces what stood in c.
    start: Option<&'a [f32]>,
    sizes: (usize, usize, usize),
}

impl pulp::NullaryFnOnce for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Multiply {
            c,
            a,
            strides,
            b,
            start,
            sizes: (rows, depth, columns),
        } = self;
        // Columns of b are far apart in memory; a strip of them is copied together, to stay in the nearest cache.
        let mut panel = [[0.0f32; LANES]; DEPTH];
        for first in (0..depth).step_by(DEPTH) {
            let panel = &mut panel[..DEPTH.min(depth - first)];
            for column in (0..columns).step_by(LANES) {
                for (p, row) in panel.iter_mut().enumerate() {
                    *row = block(b, (first + p) * columns + column);
                }
                let start = start.filter(|_| first == 0).map(|start| block(start, column));
                let mut row = 0;
                while row < rows {
                    let at = (row, first, column);
                    row += match rows - row {
                        1 => tile::<1>(c, a, strides, panel, start, at, columns),
                        2 => tile::<2>(c, a, strides, panel, start, at, columns),
                        3 => tile::<3>(c, a, strides, panel, start, at, columns),
                        4 => tile::<4>(c, a, strides, panel, start, at, columns),
                        5 => tile::<5>(c, a, strides, panel, start, at, columns),
                        _ => tile::<6>(c, a, strides, panel, start, at, columns),
                    };
                }
            }
        }
    }
}

/// Rows of b that are copied together at a time: 16 KB.
const DEPTH: usize = 256;

/// `ROWS` rows and `LANES` columns of a product, held in registers; returns `ROWS`.
#[inline(always)]
fn tile<const ROWS: usize>(
    c: &mut [f32],
    a: &[f32],
    (down, across): (usize, usize),
    panel: &[[f32; LANES]],
    start: Option<[f32; LANES]>,
    (row, first, column): (usize, usize, usize),
    columns: usize,
) -> usize {
    let mut sums = [[0.0f32; LANES]; ROWS];
    if across == 1 {
        let rows: [&[f32]; ROWS] = std::array::from_fn(|r| &a[(row + r) * down + first..][..panel.len()]);
        for (p, b) in panel.iter().enumerate() {
            for r in 0..ROWS {
                add_product(&mut sums[r], rows[r][p], b);
            }
        }
    } else {
        for (p, b) in panel.iter().enumerate() {
            let values = &a[(first + p) * across + row * down..];
            for r in 0..ROWS {
                add_product(&mut sums[r], values[r * down], b);
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        let c = &mut c[(row + r) * columns + column..][..LANES];
        if let Some(start) = start {
            for i in 0..LANES {
                c[i] = start[i] + sums[i];
            }
        } else {
            for i in 0..LANES {
                c[i] += sums[i];
            }
        }
    }
    ROWS
}

#[inline(always)]
fn add_product(sums: &mut [f32; LANES], a: f32, b: &[f32; LANES]) {
    for i in 0..LANES {
        sums[i] = a.mul_add(b[i], sums[i]);
    }
}
