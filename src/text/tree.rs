//! From scores to a tree: the best head for each word, mended by Chu, Liu and Edmonds where the best heads make
//! a cycle or more than one root.

use crate::text::network::{Best, NEVER};

/// Buffers for `decode`.
#[derive(Default)]
pub struct Buffers {
    graph: Graph,
    heads: Vec<usize>,
    mark: Vec<u32>,
}

/// Finds the best tree with exactly one root. `arcs` is `[tokens][columns]`, column 0 the root, column j the
/// token j - 1; `best` holds the best column of each row. Writes for each token its head, 0 for the root, else
/// the token's number from 1.
pub fn decode(arcs: &[f32], best: &[Best], columns: usize, buffers: &mut Buffers, out: &mut Vec<u16>) {
    let tokens = best.len();
    out.clear();
    out.extend(best.iter().map(|best| best.column as u16));
    let roots = out.iter().filter(|&&head| head == 0).count();
    if roots != 1 || has_cycle(out, &mut buffers.mark) {
        mend(arcs, tokens, columns, buffers, out);
    }
}

fn has_cycle(heads: &[u16], mark: &mut Vec<u32>) -> bool {
    mark.clear();
    mark.resize(heads.len() + 1, 0);
    for start in 1..=heads.len() {
        let mut at = start;
        while at != 0 && mark[at] == 0 {
            mark[at] = start as u32;
            at = usize::from(heads[at - 1]);
        }
        if at != 0 && mark[at] == start as u32 {
            return true;
        }
    }
    false
}

/// Mends best heads that are no tree. Root arcs are made dearer by more than any tree can win, so that the best
/// tree has one of them (Stanovsky & Cohen 2020, "Please Mind the Root").
fn mend(arcs: &[f32], tokens: usize, columns: usize, buffers: &mut Buffers, out: &mut Vec<u16>) {
    let nodes = tokens + 1;
    let Buffers { graph, heads, .. } = buffers;
    let (mut low, mut high) = (f32::MAX, f32::MIN);
    graph.reset(nodes);
    for token in 0..tokens {
        let row = &arcs[token * columns..][..nodes];
        graph.scores[(token + 1) * nodes..][..nodes].copy_from_slice(row);
        for (head, &score) in row.iter().enumerate() {
            if head != token + 1 {
                low = low.min(score);
                high = high.max(score);
            }
        }
    }
    let penalty = (high - low + 1.0) * nodes as f32;
    for token in 1..nodes {
        graph.scores[token * nodes] -= penalty;
        graph.best[token] = usize::from(out[token - 1]);
        // The root's arcs alone have changed, so other choices stand.
        if graph.best[token] == 0 {
            graph.choose(token);
        }
    }
    graph.contract(heads);
    out.clear();
    out.extend(heads[1..].iter().map(|&head| head as u16));
}

/// An arc between real nodes: head, dependent.
type Arc = (u16, u16);

/// Nodes that made a cycle and were made one: the arc each had chosen, and the real nodes it stood for.
type Contraction = Vec<(Arc, Vec<usize>)>;

/// A graph whose nodes may stand for several real ones.
#[derive(Default)]
struct Graph {
    nodes: usize,
    /// `[dependent][head]`.
    scores: Vec<f32>,
    /// The real arc behind each score.
    arcs: Vec<Arc>,
    alive: Vec<bool>,
    /// The real nodes that each node stands for.
    members: Vec<Vec<usize>>,
    /// The best head of each node.
    best: Vec<usize>,
    mark: Vec<usize>,
}

impl Graph {
    fn reset(&mut self, nodes: usize) {
        self.nodes = nodes;
        self.scores.clear();
        self.scores.resize(nodes * nodes, NEVER);
        self.arcs.clear();
        for dependent in 0..nodes {
            self.arcs
                .extend((0..nodes).map(|head| (head as u16, dependent as u16)));
        }
        self.alive.clear();
        self.alive.resize(nodes, true);
        self.members.resize_with(nodes.max(self.members.len()), Vec::new);
        for (node, members) in self.members.iter_mut().enumerate() {
            members.clear();
            members.push(node);
        }
        self.best.clear();
        self.best.resize(nodes, 0);
    }

    /// Maximum spanning arborescence from node 0 by repeated contraction (Chu & Liu 1965, Edmonds 1967), in time
    /// that grows with the square of the nodes: a contraction changes no choice but that of the new node.
    fn contract(&mut self, heads: &mut Vec<usize>) {
        let mut contractions: Vec<Contraction> = Vec::new();
        while let Some(cycle) = self.find_cycle() {
            contractions.push(self.merge(&cycle));
            for d in 1..self.nodes {
                if cycle[1..].contains(&self.best[d]) {
                    self.best[d] = cycle[0];
                }
            }
            self.choose(cycle[0]);
        }
        heads.clear();
        heads.resize(self.nodes, 0);
        let mut entered = vec![false; self.nodes];
        let mut set = |(head, dependent): Arc, entered: &mut [bool]| {
            heads[usize::from(dependent)] = usize::from(head);
            entered[usize::from(dependent)] = true;
        };
        for d in (1..self.nodes).filter(|&d| self.alive[d]) {
            set(self.arcs[d * self.nodes + self.best[d]], &mut entered);
        }
        // Undone last first: the member that was entered from outside keeps that arc, the rest keep their arcs
        // of the cycle.
        for (arc, members) in contractions.iter().rev().flatten() {
            if !members.iter().any(|&node| entered[node]) {
                set(*arc, &mut entered);
            }
        }
    }

    /// Finds the best head of a node.
    fn choose(&mut self, dependent: usize) {
        let row = &self.scores[dependent * self.nodes..][..self.nodes];
        let mut top = 0;
        for (head, &score) in row.iter().enumerate() {
            if score > row[top] && self.alive[head] && head != dependent {
                top = head;
            }
        }
        self.best[dependent] = top;
    }

    /// Makes the nodes of a cycle one, which is called by the first of them.
    fn merge(&mut self, cycle: &[usize]) -> Contraction {
        let nodes = self.nodes;
        let chosen: Vec<usize> = cycle.iter().map(|&d| d * nodes + self.best[d]).collect();
        let inside: Vec<f32> = chosen.iter().map(|&arc| self.scores[arc]).collect();
        for other in (0..nodes).filter(|&o| self.alive[o] && !cycle.contains(&o)) {
            let (mut enter, mut enter_arc) = (f32::MIN, (0, 0));
            let (mut leave, mut leave_arc) = (f32::MIN, (0, 0));
            for (&d, &inside) in cycle.iter().zip(&inside) {
                // To enter at d costs the arc that d had in the cycle.
                let score = self.scores[d * nodes + other] - inside;
                if score > enter {
                    (enter, enter_arc) = (score, self.arcs[d * nodes + other]);
                }
                if self.scores[other * nodes + d] > leave {
                    (leave, leave_arc) = (self.scores[other * nodes + d], self.arcs[other * nodes + d]);
                }
            }
            let (into, out_of) = (cycle[0] * nodes + other, other * nodes + cycle[0]);
            (self.scores[into], self.arcs[into]) = (enter, enter_arc);
            (self.scores[out_of], self.arcs[out_of]) = (leave, leave_arc);
        }
        let contraction = cycle
            .iter()
            .zip(&chosen)
            .map(|(&d, &arc)| (self.arcs[arc], self.members[d].clone()))
            .collect();
        for &d in &cycle[1..] {
            self.alive[d] = false;
            let moved = std::mem::take(&mut self.members[d]);
            self.members[cycle[0]].extend(moved);
        }
        contraction
    }

    fn find_cycle(&mut self) -> Option<Vec<usize>> {
        self.mark.clear();
        self.mark.resize(self.nodes, 0);
        for start in (1..self.nodes).filter(|&d| self.alive[d]) {
            let mut at = start;
            while at != 0 && self.mark[at] == 0 {
                self.mark[at] = start;
                at = self.best[at];
            }
            if at != 0 && self.mark[at] == start {
                let mut cycle = vec![at];
                let mut next = self.best[at];
                while next != at {
                    cycle.push(next);
                    next = self.best[next];
                }
                return Some(cycle);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::network::{LANES, best_rows};

    /// Pads and bars as the network does, then decodes.
    fn decode_rows(arcs: &[f32], tokens: usize) -> Vec<u16> {
        let columns = (tokens + 1).next_multiple_of(LANES);
        let mut padded = vec![NEVER; tokens * columns];
        for token in 0..tokens {
            padded[token * columns..][..tokens + 1]
                .copy_from_slice(&arcs[token * (tokens + 1)..][..tokens + 1]);
            padded[token * columns + token + 1] = NEVER;
        }
        let (mut best, mut out) = (Vec::new(), Vec::new());
        best_rows(&padded, columns, &mut best);
        decode(&padded, &best, columns, &mut Buffers::default(), &mut out);
        out
    }

    fn check(arcs: &[&[f32]], expected: &[u16]) {
        let flat: Vec<f32> = arcs.iter().flat_map(|row| row.iter().copied()).collect();
        assert_eq!(decode_rows(&flat, arcs.len()), expected);
    }

    #[test]
    fn best_heads_that_are_a_tree() {
        check(&[&[0.0, 9.0, 5.0], &[6.0, 1.0, 9.0]], &[2, 0]);
        check(&[&[0.0, 5.0]], &[0]);
    }

    #[test]
    fn cycles_are_broken() {
        // 1 and 2 prefer each other; 2 loses less by taking the root.
        check(&[&[1.0, 0.0, 5.0], &[4.0, 5.0, 0.0]], &[2, 0]);
    }

    #[test]
    fn one_root_only() {
        check(
            &[
                &[9.0, 0.0, 1.0, 1.0],
                &[9.5, 1.0, 0.0, 1.0],
                &[1.0, 1.0, 5.0, 0.0],
            ],
            &[2, 0, 2],
        );
    }

    #[test]
    fn random_scores_give_the_best_tree() {
        let mut seed = 7u64;
        for _ in 0..300 {
            let tokens = 1 + (seed >> 40) as usize % 5;
            let columns = tokens + 1;
            let arcs: Vec<f32> = (0..tokens * columns)
                .map(|_| {
                    seed = seed
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    (seed >> 40) as f32 / 1e5
                })
                .collect();
            let out = decode_rows(&arcs, tokens);
            let score = |heads: &[u16]| -> f32 {
                heads
                    .iter()
                    .enumerate()
                    .map(|(t, &h)| arcs[t * columns + usize::from(h)])
                    .sum()
            };
            let valid = |heads: &[u16]| {
                heads.iter().filter(|&&h| h == 0).count() == 1
                    && heads.iter().enumerate().all(|(t, &h)| usize::from(h) != t + 1)
                    && !has_cycle(heads, &mut Vec::new())
            };
            let mut best = f32::MIN;
            for code in 0..columns.pow(tokens as u32) {
                let heads: Vec<u16> = (0..tokens)
                    .map(|t| (code / columns.pow(t as u32) % columns) as u16)
                    .collect();
                if valid(&heads) {
                    best = best.max(score(&heads));
                }
            }
            assert!(
                valid(&out) && (score(&out) - best).abs() < 0.01,
                "{arcs:?} {out:?}"
            );
        }
    }
}
