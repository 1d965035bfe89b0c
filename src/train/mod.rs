//! Learns the reader's model from treebanks: CoNLL-U and a lexicon in, one model file out.
//!
//! Deterministic: the same files and settings give the same model with any number of threads. Resumable: each
//! finished epoch is kept in a work folder, and a run that was stopped goes on from there.

pub mod augment;
pub mod conllu;
pub mod events;
pub mod language;
pub mod lemma;
pub mod linear;
pub mod names;
pub mod network;
pub mod random;
pub mod sentiment;
pub mod stances;

use crate::evaluate::names::score as score_names;
use crate::evaluate::parse::{Figures, score};
use crate::text::features::{self, TEMPLATES, Table, WORD};
use crate::text::model::{Model, Parts, Upos};
use crate::text::network::{LANES, Layout, Shape};
use crate::train::conllu::Sentence;
use crate::train::network::{Adam, Dropout, Example, Gradient, NO_ROW};
use crate::train::random::Random;
use anyhow::{Context, Result, ensure};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::Instant;
use xxhash_rust::xxh3::xxh3_64;

/// What to learn from and how long.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Treebanks.
    pub treebanks: Vec<PathBuf>,
    /// Sentences with names marked; those that stand in a treebank too are joined with their trees.
    pub names: Vec<PathBuf>,
    /// Sentences with names marked, to measure on.
    pub names_dev: Vec<PathBuf>,
    /// Treebanks to measure on, never learnt from.
    pub dev: Vec<PathBuf>,
    /// Word, TAB, class number.
    pub lexicon: Option<PathBuf>,
    /// Where finished epochs are kept.
    pub work: PathBuf,
    /// Times through the treebanks.
    pub epochs: usize,
    /// Highest learning rate.
    pub rate: f32,
    /// Width, layers, tag layer, arc, label.
    pub sizes: [usize; 5],
    /// Dropout of layers and roles.
    pub dropout: Dropout,
    /// Words of a batch.
    pub batch_tokens: usize,
    /// Start of all random numbers.
    pub seed: u64,
}

/// Shards of a batch; fixed, so that sums do not depend on the number of threads.
const SHARDS: usize = 4;

/// What features, tags and labels have numbers.
struct Inventory {
    tags: Vec<(Upos, String)>,
    tag_numbers: HashMap<(String, String), u16>,
    labels: Vec<String>,
    label_numbers: HashMap<String, u16>,
    names: Vec<String>,
    keys: Vec<u32>,
    rows: Table,
    /// How often each row was seen.
    counts: Vec<u32>,
    lexicon: Vec<(u32, u8)>,
    lexicon_table: Table,
}

/// Everything that changes while the network learns.
struct State {
    epoch: usize,
    parameters: Vec<f32>,
    embeddings: Vec<f32>,
    dense_memory: Adam,
    row_memory: Adam,
    step: usize,
}

/// What is measured on now and then.
struct Dev {
    trees: Vec<(String, Vec<Sentence>)>,
    names: Vec<(String, Vec<Sentence>)>,
}

/// Learns a model; `say` gets a line now and then. Returns the model's parts and a record of the scores.
pub fn train(settings: &Settings, say: &mut dyn FnMut(String)) -> Result<(Parts, String)> {
    std::fs::create_dir_all(&settings.work).with_context(|| format!("making {}", settings.work.display()))?;
    let mut sentences = Vec::new();
    for path in &settings.treebanks {
        let read = conllu::read(path)?;
        say(format!("{}: {} sentences", path.display(), read.len()));
        sentences.extend(read);
    }
    ensure!(!sentences.is_empty(), "the treebanks hold no sentence");
    let inventory = inventory(&sentences, settings)?;
    let lemmas = learn_lemmas(&sentences, &inventory);
    for path in &settings.names {
        let (joined, added) = join_names(&mut sentences, conllu::read_names(path)?);
        say(format!(
            "{}: {joined} sentences of the treebanks with names, {added} others",
            path.display()
        ));
    }
    let dev = Dev {
        trees: read_all(&settings.dev, conllu::read)?,
        names: read_all(&settings.names_dev, conllu::read_names)?,
    };
    let layout = layout(settings, &inventory);
    say(format!(
        "{} tags, {} labels, {} embeddings, {} dense parameters",
        inventory.tags.len(),
        inventory.labels.len(),
        inventory.keys.len(),
        layout.total
    ));
    let signature = signature(settings, &sentences);
    let mut state = resume(settings, signature, &layout, inventory.keys.len())
        .unwrap_or_else(|| first_state(settings, &layout, inventory.keys.len()));
    if state.epoch > 0 {
        say(format!("going on after epoch {}", state.epoch));
    }
    let start = Instant::now();
    let mut record = String::new();
    while state.epoch < settings.epochs {
        let [arcs, labels, tags, names] = epoch(settings, &layout, &sentences, &inventory, &mut state);
        state.epoch += 1;
        let mut line = format!(
            "epoch {:2}  {:4.0} s  losses: arcs {arcs:.3}, labels {labels:.3}, tags {tags:.3}, names {names:.3}",
            state.epoch,
            start.elapsed().as_secs_f32(),
        );
        if state.epoch.is_multiple_of(4) || state.epoch == settings.epochs {
            keep(settings, signature, &state)?;
            line += &measure(&Model::new(parts(&layout, &inventory, &state, &lemmas))?, &dev);
        }
        record += &line;
        record.push('\n');
        say(line);
    }
    Ok((parts(&layout, &inventory, &state, &lemmas), record))
}

fn layout(settings: &Settings, inventory: &Inventory) -> Layout {
    let [width, layers, tag_layer, arc, label] = settings.sizes;
    Layout::new(Shape {
        width,
        layers,
        tag_layer,
        arc,
        label,
        tags: inventory.tags.len().next_multiple_of(LANES),
        labels: inventory.labels.len().next_multiple_of(LANES),
        names: inventory.names.len().next_multiple_of(LANES),
    })
}

/// Reads files, each with its name.
fn read_all(
    paths: &[PathBuf],
    read: impl Fn(&Path) -> Result<Vec<Sentence>>,
) -> Result<Vec<(String, Vec<Sentence>)>> {
    let name = |path: &PathBuf| {
        path.file_name()
            .map_or(String::new(), |name| name.to_string_lossy().into())
    };
    paths.iter().map(|path| Ok((name(path), read(path)?))).collect()
}

/// Lines of scores.
fn measure(model: &Model, dev: &Dev) -> String {
    let mut lines = String::new();
    for (name, gold) in &dev.trees {
        let figures = gold
            .par_chunks(200)
            .map(|part| score(model, part))
            .reduce(Figures::default, Figures::plus);
        lines += &format!("\n    {name}: {figures}");
    }
    for (name, gold) in &dev.names {
        lines += &format!("\n    {name}: {}", score_names(model, gold));
    }
    lines
}

/// Gives treebank sentences the names marked in sentences of the same words; the rest is added. Returns the
/// numbers of both.
fn join_names(sentences: &mut Vec<Sentence>, named: Vec<Sentence>) -> (usize, usize) {
    let words = |s: &Sentence| {
        (0..s.len())
            .map(|word| s.form(word))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, sentence) in sentences.iter().enumerate().rev() {
        places.entry(words(sentence)).or_default().push(place);
    }
    let (mut joined, mut added) = (0, 0);
    for sentence in named {
        if let Some(place) = places.get_mut(&words(&sentence)).and_then(Vec::pop) {
            sentences[place].names = sentence.names;
            joined += 1;
        } else {
            sentences.push(sentence);
            added += 1;
        }
    }
    (joined, added)
}

/// A number that changes with the data and the settings, so that no foreign epoch is taken up.
fn signature(settings: &Settings, sentences: &[Sentence]) -> u64 {
    let mut text = format!(
        "{:?} {:?} {:?} {} {} {} {TEMPLATES}",
        settings.sizes,
        settings.dropout,
        settings.rate,
        settings.epochs,
        settings.batch_tokens,
        settings.seed
    );
    for sentence in sentences {
        text += &sentence.text;
        text += &sentence.labels.join(" ");
        text += &sentence.names.join(" ");
    }
    xxh3_64(text.as_bytes())
}

fn inventory(sentences: &[Sentence], settings: &Settings) -> Result<Inventory> {
    let lexicon = settings
        .lexicon
        .as_deref()
        .map(read_lexicon)
        .transpose()?
        .unwrap_or_default();
    let lexicon_table = Table::new(lexicon.iter().map(|&(key, class)| (key, u32::from(class))));
    let (tags, tag_numbers) = number_tags(sentences)?;
    let (labels, label_numbers) = number_labels(sentences);
    // No name comes first, so that it is what is said without names to learn from.
    let mut names = vec!["O".to_string()];
    for path in &settings.names {
        for label in conllu::read_names(path)?
            .into_iter()
            .flat_map(|sentence| sentence.names)
        {
            if !names.contains(&label) {
                names.push(label);
            }
        }
    }
    names[1..].sort();
    let (mut buffers, mut keys) = (features::Buffers::default(), Vec::new());
    let mut counts: BTreeMap<(usize, u32), u32> = BTreeMap::new();
    for sentence in sentences {
        keys.clear();
        features::extract(
            &sentence.text,
            &sentence.tokens,
            &lexicon_table,
            &mut buffers,
            &mut keys,
        );
        for token in &keys {
            for (template, &key) in token.iter().enumerate().filter(|(_, key)| **key != 0) {
                *counts.entry((template, key)).or_default() += 1;
            }
        }
    }
    // A word seen once teaches little that its letters do not; rarer endings are noise.
    let least = |template| if template == WORD { 2 } else { 3 };
    let kept: Vec<(u32, u32)> = std::iter::once((0, 1))
        .chain(
            counts
                .into_iter()
                .filter(|((t, _), n)| *n >= least(*t))
                .map(|((_, key), n)| (key, n)),
        )
        .collect();
    let rows: Vec<(u32, u32)> = kept
        .iter()
        .zip(0..)
        .skip(1)
        .map(|((key, _), row)| (*key, row))
        .collect();
    Ok(Inventory {
        tags,
        tag_numbers,
        labels,
        label_numbers,
        names,
        keys: kept.iter().map(|(key, _)| *key).collect(),
        rows: Table::new(rows.into_iter()),
        counts: kept.iter().map(|(_, count)| *count).collect(),
        lexicon,
        lexicon_table,
    })
}

fn read_lexicon(path: &Path) -> Result<Vec<(u32, u8)>> {
    let text = conllu::read_text(path)?;
    let mut entries = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let (word, class) = line
            .split_once('\t')
            .with_context(|| format!("{} line {}: no TAB", path.display(), number + 1))?;
        let class: u8 = class.parse().with_context(|| {
            format!(
                "{} line {}: {class} is no class number",
                path.display(),
                number + 1
            )
        })?;
        entries.entry(features::lexicon_key(word)).or_insert(class);
    }
    Ok(entries.into_iter().collect())
}

type TagNumbers = HashMap<(String, String), u16>;

fn number_tags(sentences: &[Sentence]) -> Result<(Vec<(Upos, String)>, TagNumbers)> {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for sentence in sentences {
        for (upos, xpos) in sentence.upos.iter().zip(&sentence.xpos) {
            *counts.entry((upos, xpos)).or_default() += 1;
        }
    }
    let mut tags = Vec::new();
    let mut numbers = HashMap::new();
    // Pairs seen fewer than 8 times are mostly slips; they count as the commonest pair of their part of speech.
    for (&(upos, xpos), _) in counts.iter().filter(|(_, n)| **n >= 8) {
        numbers.insert((upos.to_string(), xpos.to_string()), tags.len() as u16);
        tags.push((
            Upos::from_name(upos).with_context(|| format!("unknown tag {upos}"))?,
            xpos.to_string(),
        ));
    }
    for &(upos, xpos) in counts.keys().filter(|key| counts[*key] < 8) {
        let nearest = counts
            .iter()
            .filter(|((u, _), n)| *u == upos && **n >= 8)
            .max_by_key(|(_, n)| **n);
        let number = nearest.map_or(0, |((u, x), _)| numbers[&(u.to_string(), x.to_string())]);
        numbers.insert((upos.to_string(), xpos.to_string()), number);
    }
    ensure!(!tags.is_empty(), "the treebanks are too small to learn tags from");
    Ok((tags, numbers))
}

fn number_labels(sentences: &[Sentence]) -> (Vec<String>, HashMap<String, u16>) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for label in sentences.iter().flat_map(|s| &s.labels) {
        *counts.entry(label).or_default() += 1;
    }
    let mut labels: Vec<String> = Vec::new();
    let mut numbers = HashMap::new();
    for (&label, &count) in &counts {
        // A subtype seen fewer than 5 times counts as its type.
        let name = if count >= 5 {
            label
        } else {
            label.split(':').next().unwrap_or(label)
        };
        let number = labels.iter().position(|known| known == name).unwrap_or_else(|| {
            labels.push(name.to_string());
            labels.len() - 1
        });
        numbers.insert(label.to_string(), number as u16);
    }
    (labels, numbers)
}

fn learn_lemmas(sentences: &[Sentence], inventory: &Inventory) -> lemma::Learnt {
    // Lemmas are keyed by the number that the model gives a tag of the language's own.
    let mut names: Vec<&str> = Vec::new();
    for (_, name) in &inventory.tags {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let mut seen = lemma::Seen::new();
    for sentence in sentences {
        for word in 0..sentence.len() {
            if let Some(tag) = names.iter().position(|name| *name == sentence.xpos[word]) {
                lemma::see(&mut seen, sentence.form(word), tag as u8, &sentence.lemmas[word]);
            }
        }
    }
    lemma::learn(&seen)
}

fn first_state(settings: &Settings, layout: &Layout, rows: usize) -> State {
    let mut random = Random(settings.seed);
    let width = layout.shape.width;
    let parameters = network::first_parameters(layout, &mut random);
    // About eight rows are summed into a token's vector of unit variance.
    let embeddings: Vec<f32> = (0..rows * width)
        .map(|_| (2.0 * random.share() - 1.0) * 0.3)
        .collect();
    State {
        epoch: 0,
        dense_memory: Adam::new(parameters.len()),
        row_memory: Adam::new(embeddings.len()),
        parameters,
        embeddings,
        step: 0,
    }
}

/// Turns sentences into examples, each changed at random now and then, and some words hidden so that the
/// unknown word is learnt too.
fn examples(sentences: &[Sentence], inventory: &Inventory, seed: u64) -> Vec<Example> {
    sentences
        .par_iter()
        .enumerate()
        .map_init(
            || (features::Buffers::default(), Vec::new()),
            |(buffers, keys), (index, sentence)| {
                let mut random = Random(seed ^ (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
                random.bits();
                let sentence = augment::vary(sentence, &mut random);
                example(&sentence, inventory, buffers, keys, &mut random)
            },
        )
        .collect()
}

fn example(
    sentence: &Sentence,
    inventory: &Inventory,
    buffers: &mut features::Buffers,
    keys: &mut Vec<[u32; TEMPLATES]>,
    random: &mut Random,
) -> Example {
    keys.clear();
    features::extract(
        &sentence.text,
        &sentence.tokens,
        &inventory.lexicon_table,
        buffers,
        keys,
    );
    let words = keys.iter().enumerate();
    let number = |numbers: &HashMap<String, u16>, name: &String| numbers.get(name).copied().unwrap_or(0);
    let tag = |(upos, xpos): (&String, &String)| {
        inventory
            .tag_numbers
            .get(&(upos.clone(), xpos.clone()))
            .copied()
            .unwrap_or(0)
    };
    let name = |name: &String| {
        inventory
            .names
            .iter()
            .position(|known| known == name)
            .unwrap_or(0) as u16
    };
    Example {
        rows: words
            .map(|(word, keys)| rows(keys, is_name(sentence, word), inventory, random))
            .collect(),
        tags: sentence.upos.iter().zip(&sentence.xpos).map(tag).collect(),
        heads: sentence.heads.clone(),
        labels: sentence
            .labels
            .iter()
            .map(|label| number(&inventory.label_numbers, label))
            .collect(),
        names: sentence.names.iter().map(name).collect(),
    }
}

fn is_name(sentence: &Sentence, word: usize) -> bool {
    sentence.upos.get(word).is_some_and(|upos| upos == "PROPN")
        || sentence.names.get(word).is_some_and(|name| name != "O")
}

/// The embedding rows of a word, some of them hidden.
fn rows(keys: &[u32; TEMPLATES], is_name: bool, inventory: &Inventory, random: &mut Random) -> Vec<u32> {
    // News is full of names that no treebank has, so names are at times known by their surroundings only.
    let hide_name = if is_name && random.share() < 0.1 {
        1.0
    } else {
        0.0f32
    };
    let mut rows = Vec::with_capacity(TEMPLATES);
    for (template, &key) in keys.iter().enumerate() {
        let row = inventory
            .rows
            .get(key)
            .unwrap_or(if template == WORD { 0 } else { NO_ROW });
        let hide = match row {
            NO_ROW => 0.0,
            // Rare words are hidden more often than common ones (Kiperwasser & Goldberg 2016).
            row if template == WORD => {
                hide_name.max(0.02 + 0.25 / (0.25 + inventory.counts[row as usize] as f32))
            }
            // The exact form and the longest ending and beginning all but spell a name.
            _ if matches!(template, 1 | 5 | 8) => hide_name.max(0.05),
            _ => 0.05,
        };
        match (random.share() < hide, template == WORD) {
            (false, _) => rows.push(row),
            (true, true) => rows.push(0),
            (true, false) => {}
        }
    }
    rows
}

/// Goes through all sentences once; returns the mean losses per word.
fn epoch(
    settings: &Settings,
    layout: &Layout,
    sentences: &[Sentence],
    inventory: &Inventory,
    state: &mut State,
) -> [f32; 4] {
    let seed = settings
        .seed
        .wrapping_add(1 + state.epoch as u64)
        .wrapping_mul(0x2545_f491_4f6c_dd1d);
    let mut examples = examples(sentences, inventory, seed);
    // Sentences of more words than the reader takes at once would be cut there; they teach nothing here.
    examples.retain(|e| !e.is_empty() && e.len() <= crate::text::model::SENTENCE_TOKENS_MAX);
    Random(seed).shuffle(&mut examples);
    let batches = batches(&examples, settings.batch_tokens);
    let total_steps = (batches.len() * settings.epochs) as f32;
    let mut shards: Vec<Gradient> = (0..SHARDS).map(|_| Gradient::default()).collect();
    let mut flipped = Vec::new();
    let (mut losses, mut tokens) = ([0.0; 4], 0);
    for batch in &batches {
        network::transpose_weights(&state.parameters, layout, &mut flipped);
        let parts = split(&examples[batch.clone()]);
        shards
            .par_iter_mut()
            .zip(&parts)
            .enumerate()
            .for_each(|(shard, (gradient, part))| {
                let mut random = Random(seed ^ ((state.step * SHARDS + shard) as u64) << 8);
                let embeddings = &state.embeddings;
                let chance = (settings.dropout, &mut random);
                network::gradient(
                    &state.parameters,
                    &flipped,
                    embeddings,
                    layout,
                    part,
                    chance,
                    gradient,
                );
            });
        // Up in the first twentieth of all steps, then down along a cosine to almost nothing.
        let done = state.step as f32 / total_steps;
        let rate = settings.rate
            * if done < 0.05 {
                done / 0.05
            } else {
                0.01 + 0.99 * (0.5 + 0.5 * (done * std::f32::consts::PI).cos())
            };
        let batch_tokens: usize = parts.iter().flatten().map(|e| e.len()).sum();
        update(layout, &mut shards, &parts, batch_tokens, rate, state);
        for shard in &shards {
            for (sum, loss) in losses.iter_mut().zip(shard.loss) {
                *sum += loss;
            }
        }
        tokens += batch_tokens;
        state.step += 1;
    }
    losses.map(|loss| loss / tokens.max(1) as f32)
}

fn batches(examples: &[Example], tokens: usize) -> Vec<std::ops::Range<usize>> {
    let mut batches = Vec::new();
    let (mut start, mut sum) = (0, 0);
    for (index, example) in examples.iter().enumerate() {
        sum += example.len();
        if sum >= tokens || index + 1 == examples.len() {
            batches.push(start..index + 1);
            (start, sum) = (index + 1, 0);
        }
    }
    batches
}

/// Deals a batch out to the shards, longest sentences first, each to the shard with the fewest words.
fn split(examples: &[Example]) -> Vec<Vec<&Example>> {
    let mut order: Vec<&Example> = examples.iter().collect();
    order.sort_by_key(|example| std::cmp::Reverse(example.len()));
    let mut parts: Vec<Vec<&Example>> = vec![Vec::new(); SHARDS];
    let mut sizes = [0; SHARDS];
    for example in order {
        let shard = (0..SHARDS).min_by_key(|&shard| sizes[shard]).unwrap_or(0);
        sizes[shard] += example.len();
        parts[shard].push(example);
    }
    parts
}

/// Adds up the shards' gradients and moves all parameters.
fn update(
    layout: &Layout,
    shards: &mut [Gradient],
    parts: &[Vec<&Example>],
    batch_tokens: usize,
    rate: f32,
    state: &mut State,
) {
    let width = layout.shape.width;
    let rate = rate * Adam::correction(state.step);
    let (first, rest) = shards.split_at_mut(1);
    let sum = &mut first[0].dense;
    for shard in rest.iter() {
        for (value, add) in sum.iter_mut().zip(&shard.dense) {
            *value += add;
        }
    }
    let scale = 1.0 / batch_tokens.max(1) as f32;
    let norm = sum.iter().map(|g| g * g).sum::<f32>().sqrt() * scale;
    // A batch that asks for a jump is held back (Pascanu et al. 2013).
    let scale = if norm > 1.0 { scale / norm } else { scale };
    for value in sum.iter_mut() {
        *value *= scale;
    }
    state
        .dense_memory
        .step(&mut state.parameters, sum, 0..layout.total, rate);
    let mut touched: Vec<(u32, u32, u32)> = Vec::new();
    for (shard, part) in parts.iter().enumerate() {
        for (token, rows) in part.iter().flat_map(|example| &example.rows).enumerate() {
            touched.extend(
                rows.iter()
                    .filter(|&&r| r != NO_ROW)
                    .map(|&row| (row, shard as u32, token as u32)),
            );
        }
    }
    touched.sort_unstable();
    let mut gradient = vec![0.0; width];
    for group in touched.chunk_by(|a, b| a.0 == b.0) {
        gradient.fill(0.0);
        for &(_, shard, token) in group {
            let inputs = &shards[shard as usize].inputs[token as usize * width..][..width];
            for (sum, value) in gradient.iter_mut().zip(inputs) {
                *sum += value * scale;
            }
        }
        let at = group[0].0 as usize * width;
        state
            .row_memory
            .step(&mut state.embeddings, &gradient, at..at + width, rate);
    }
}

fn parts(layout: &Layout, inventory: &Inventory, state: &State, lemmas: &lemma::Learnt) -> Parts {
    let width = layout.shape.width;
    let mut steps = Vec::with_capacity(inventory.keys.len());
    let mut embeddings = Vec::with_capacity(state.embeddings.len());
    for row in state.embeddings.chunks_exact(width) {
        let top = row.iter().fold(1e-6f32, |top, value| top.max(value.abs()));
        steps.push(top / 127.0);
        embeddings.extend(row.iter().map(|value| (value / top * 127.0).round() as i8));
    }
    Parts {
        shape: layout.shape,
        tags: inventory.tags.clone(),
        labels: inventory.labels.clone(),
        names: inventory.names.clone(),
        keys: inventory.keys.clone(),
        steps,
        embeddings,
        parameters: state.parameters.clone(),
        lexicon: inventory.lexicon.clone(),
        rules: lemmas.rules.clone(),
        exceptions: lemmas.exceptions.clone(),
        endings: lemmas.endings.clone(),
    }
}

fn kept_path(settings: &Settings) -> PathBuf {
    settings.work.join("network.state")
}

/// Writes the state beside, then renames, so that a stop in between loses nothing.
fn keep(settings: &Settings, signature: u64, state: &State) -> Result<()> {
    let mut bytes = Vec::new();
    for number in [signature, state.epoch as u64, state.step as u64] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    for values in state.vectors() {
        for value in values {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
    }
    let aside = settings.work.join("network.state.part");
    std::fs::write(&aside, bytes).with_context(|| format!("writing {}", aside.display()))?;
    std::fs::rename(&aside, kept_path(settings)).context("keeping the state of training")
}

fn resume(settings: &Settings, signature: u64, layout: &Layout, rows: usize) -> Option<State> {
    let bytes = std::fs::read(kept_path(settings)).ok()?;
    let mut state = first_state(settings, layout, rows);
    let (head, mut rest) = bytes.split_at_checked(24)?;
    let numbers: Vec<u64> = head
        .chunks_exact(8)
        .map(|b| b.iter().rev().fold(0, |n, &byte| n << 8 | u64::from(byte)))
        .collect();
    if numbers[0] != signature {
        return None;
    }
    (state.epoch, state.step) = (numbers[1] as usize, numbers[2] as usize);
    for values in state.vectors_mut() {
        for value in values.iter_mut() {
            let (bytes, after) = rest.split_first_chunk::<4>()?;
            (*value, rest) = (f32::from_le_bytes(*bytes), after);
        }
    }
    rest.is_empty().then_some(state)
}

impl State {
    fn vectors(&self) -> [&Vec<f32>; 6] {
        let (a, b) = self.dense_memory.vectors();
        let (c, d) = self.row_memory.vectors();
        [&self.parameters, &self.embeddings, a, b, c, d]
    }

    fn vectors_mut(&mut self) -> [&mut Vec<f32>; 6] {
        let (a, b) = self.dense_memory.vectors_mut();
        let (c, d) = self.row_memory.vectors_mut();
        [&mut self.parameters, &mut self.embeddings, a, b, c, d]
    }
}

/// Files, and the `.jsonl` files of folders, in order of their names.
/// What `read` makes of every line that is not empty of files, or of the `.jsonl` files of folders, in order of their names.
///
/// # Errors
/// A file cannot be read or a line is refused, with file and line; or nothing came of any line.
fn each_line<T>(paths: &[PathBuf], read: impl Fn(&str) -> Result<Vec<T>>) -> Result<Vec<T>> {
    let mut all = Vec::new();
    for file in files(paths)? {
        let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        let lines = text.lines().enumerate();
        for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
            all.extend(read(line).with_context(|| format!("{}:{}", file.display(), number + 1))?);
        }
    }
    ensure!(!all.is_empty(), "nothing to learn from");
    Ok(all)
}

fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let entries = std::fs::read_dir(path)?;
            let mut found: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
            found.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
            found.sort();
            files.append(&mut found);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}
