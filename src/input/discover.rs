//! Patterns of the plan become a sorted list of files. What is no file or cannot be read is a fault, not an error.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Result, bail};

use super::{Fault, InputFile, RejectReason};

/// Files found, and what was met that is none.
#[derive(Debug, Clone, Default)]
pub struct Discovered {
    /// Sorted by path, each once.
    pub files: Vec<InputFile>,
    /// What was found and cannot be read.
    pub faults: Vec<Fault>,
}

/// Finds the files of every pattern: a file, a folder (with everything below it), a pattern with `*`, `?`, `[a-z]`,
/// `{a,b}` and `**`, or `-` for standard input. A path that exists is taken as it is, even if it holds such signs. Names
/// that are not UTF-8 are found too. In folders and by patterns, names that begin with a dot are passed over, and
/// symbolic links are followed once. Errors if a pattern finds nothing at all: the plan is wrong then.
pub fn discover(patterns: &[String]) -> Result<Discovered> {
    let mut walk = Walk::default();
    for pattern in patterns {
        let before = walk.files.len() + walk.faults.len();
        let path = Path::new(pattern);
        if pattern == "-" {
            walk.files.insert(
                OsString::from("-"),
                InputFile {
                    path: "-".into(),
                    shown: "-".into(),
                    bytes: 0,
                },
            );
        } else if fs::symlink_metadata(path).is_ok() {
            walk.visit(path, &mut Vec::new());
        } else if pattern.contains(['*', '?', '[', '{']) {
            for alternative in braces(pattern) {
                let steps: Vec<Component> = Path::new(&alternative).components().collect();
                walk.matching(PathBuf::new(), &steps, &mut Vec::new());
            }
        }
        if walk.files.len() + walk.faults.len() == before && !walk.met(pattern) {
            bail!("the input {pattern:?} matches no file");
        }
    }
    Ok(Discovered {
        files: walk.files.into_values().collect(),
        faults: walk.faults,
    })
}

#[derive(Default)]
struct Walk {
    files: BTreeMap<OsString, InputFile>,
    faults: Vec<Fault>,
}

/// Folders nest less deeply than this unless something is wrong; the walk uses the stack.
const DEPTH_MAX: usize = 128;

impl Walk {
    fn fault(&mut self, path: &Path, detail: impl std::fmt::Display) {
        let input_path = path.to_string_lossy().into_owned();
        let fault = Fault {
            input_path,
            record: None,
            byte_offset: None,
            reason: RejectReason::Unreadable,
            detail: detail.to_string(),
        };
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// Whether a pattern named only what other patterns had found already.
    fn met(&self, pattern: &str) -> bool {
        self.files.contains_key(OsStr::new(pattern))
            || fs::metadata(pattern).is_ok_and(|found| found.is_dir())
    }

    /// Adds a file, or everything below a folder. `above` holds the real paths of the folders on the way here.
    fn visit(&mut self, path: &Path, above: &mut Vec<PathBuf>) {
        let found = match fs::metadata(path) {
            Ok(found) => found,
            Err(error) => return self.fault(path, error),
        };
        if found.is_file() {
            let shown = path.to_string_lossy().into();
            let file = InputFile {
                path: path.to_path_buf(),
                shown,
                bytes: found.len(),
            };
            self.files.insert(path.as_os_str().to_os_string(), file);
        } else if found.is_dir() {
            self.enter(path, above, |walk, child, above| walk.visit(child, above));
        } else {
            self.fault(path, "neither a file nor a folder");
        }
    }

    /// Calls `each` on the entries of a folder, in order, unless the folder lies within itself.
    fn enter(
        &mut self,
        path: &Path,
        above: &mut Vec<PathBuf>,
        mut each: impl FnMut(&mut Walk, &Path, &mut Vec<PathBuf>),
    ) {
        let real = match fs::canonicalize(path) {
            Ok(real) => real,
            Err(error) => return self.fault(path, error),
        };
        if above.contains(&real) {
            return self.fault(path, "the folder contains itself through a link");
        }
        if above.len() >= DEPTH_MAX {
            return self.fault(path, "nested too deeply");
        }
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) => return self.fault(path, error),
        };
        let mut names: Vec<OsString> = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => names.push(entry.file_name()),
                Err(error) => self.fault(path, error),
            }
        }
        names.sort();
        above.push(real);
        for name in names
            .iter()
            .filter(|name| !name.as_encoded_bytes().starts_with(b"."))
        {
            each(self, &path.join(name), above);
        }
        above.pop();
    }

    /// Adds what the remaining steps of a pattern match below `base`.
    fn matching(&mut self, base: PathBuf, steps: &[Component], above: &mut Vec<PathBuf>) {
        let Some((step, rest)) = steps.split_first() else {
            if fs::symlink_metadata(&base).is_ok() {
                self.visit(&base, &mut Vec::new());
            }
            return;
        };
        let Component::Normal(pattern) = step else {
            return self.matching(base.join(step), rest, above);
        };
        let pattern = pattern.as_encoded_bytes();
        let folder = if base.as_os_str().is_empty() {
            PathBuf::from(".")
        } else {
            base.clone()
        };
        let is_pattern = pattern.iter().any(|b| matches!(b, b'*' | b'?' | b'['));
        if is_pattern && !folder.is_dir() {
            return;
        }
        if pattern == b"**" {
            self.matching(base.clone(), rest, above);
            self.enter(&folder, above, |walk, child, above| {
                if fs::metadata(child).is_ok_and(|found| found.is_dir()) {
                    walk.matching(tidy(child), steps, above);
                } else if rest.is_empty() {
                    walk.visit(&tidy(child), above);
                }
            });
        } else if is_pattern {
            // A step of the pattern does not lead back up, so that the folders above need not be remembered.
            self.enter(&folder, &mut Vec::new(), |walk, child, _| {
                let name = child.file_name().map(OsStr::as_encoded_bytes).unwrap_or_default();
                if matches(pattern, name) {
                    walk.matching(tidy(child), rest, &mut Vec::new());
                }
            });
        } else {
            self.matching(base.join(step), rest, above);
        }
    }
}

/// A path without the `./` that stood for the current folder.
fn tidy(path: &Path) -> PathBuf {
    path.strip_prefix(".").unwrap_or(path).to_path_buf()
}

/// The patterns that `{a,b}` stands for; braces do not nest.
fn braces(pattern: &str) -> Vec<String> {
    let Some((before, rest)) = pattern.split_once('{') else {
        return vec![pattern.to_string()];
    };
    let Some((inside, after)) = rest.split_once('}') else {
        return vec![pattern.to_string()];
    };
    let tails = braces(after);
    let choices = inside.split(',');
    choices
        .flat_map(|choice| tails.iter().map(move |tail| format!("{before}{choice}{tail}")))
        .collect()
}

/// Whether a name matches a pattern of `*`, `?` (one byte, or one character of UTF-8) and `[a-z]`, `[!a-z]`. Linear in
/// practice: only the last `*` is gone back to.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        let step = match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
                continue;
            }
            Some(b'?') => Some((
                1,
                1 + name[n + 1..].iter().take_while(|b| **b & 0xc0 == 0x80).count(),
            )),
            Some(b'[') => class(&pattern[p..], name[n]).map(|len| (len, 1)),
            Some(b) if *b == name[n] => Some((1, 1)),
            _ => None,
        };
        match (step, star) {
            (Some((in_pattern, in_name)), _) => (p, n) = (p + in_pattern, n + in_name),
            (None, Some((at, from))) => {
                star = Some((at, from + 1));
                (p, n) = (at + 1, from + 1);
            }
            (None, None) => return false,
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

/// The length of the bracket expression at the start of `pattern` if it holds `byte`.
fn class(pattern: &[u8], byte: u8) -> Option<usize> {
    let end = 2 + pattern.get(2..)?.iter().position(|b| *b == b']')?;
    let (inverted, members) = match pattern[1] {
        b'!' | b'^' => (true, &pattern[2..end]),
        _ => (false, &pattern[1..end]),
    };
    let mut found = false;
    let mut at = 0;
    while at < members.len() {
        if at + 2 < members.len() && members[at + 1] == b'-' {
            found |= (members[at]..=members[at + 2]).contains(&byte);
            at += 3;
        } else {
            found |= members[at] == byte;
            at += 1;
        }
    }
    (found != inverted).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, name: &str, expected: bool) {
        assert_eq!(
            matches(pattern.as_bytes(), name.as_bytes()),
            expected,
            "{pattern} {name}"
        );
    }

    #[test]
    fn patterns() {
        check("*.jsonl", "a.jsonl", true);
        check("*.jsonl", "a.json", false);
        check("a?c", "aéc", true);
        check("a?c", "ac", false);
        check("[a-c]*", "beta", true);
        check("[!a-c]*", "beta", false);
        check("*a*b*c*", "xxaxxbxxcxx", true);
        check("*a*b*c", "xxaxxbxxcxx", false);
        check("2024-[01][0-9].csv", "2024-13.csv", true);
        assert_eq!(braces("x{a,b}y{1,2}"), ["xay1", "xay2", "xby1", "xby2"]);
    }

    #[test]
    fn a_pattern_that_finds_nothing_is_an_error() {
        assert!(discover(&["/no/such/folder/*.json".to_string()]).is_err());
        assert!(discover(&["/no/such/file".to_string()]).is_err());
    }
}
