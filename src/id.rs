//! Identities derived from content: a prefix and 128 bits as 26 characters, equal on every machine.
//!
//! The alphabet (base32hex, RFC 4648 section 7, in lower case) keeps order: the smaller number is the
//! smaller text, so that "the smallest id" means the same to Rust and to SQL.

use data_encoding::BASE32HEX_NOPAD;
use xxhash_rust::xxh3::Xxh3Default;

/// Hashes the parts, each closed off from the next, to 128 bits (XXH3, <https://github.com/Cyan4973/xxHash>).
pub fn hash(parts: &[&[u8]]) -> u128 {
    let mut hasher = Xxh3Default::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.digest128()
}

/// A number as an id: `d` and 5 become `d_00000000000000000000000050`.
pub fn text(prefix: &str, number: u128) -> String {
    let mut id = BASE32HEX_NOPAD.encode(&number.to_be_bytes());
    id.make_ascii_lowercase();
    format!("{prefix}_{id}")
}

/// The number of an id, or `None` where the text is no id.
pub fn number(id: &str) -> Option<u128> {
    let digits = id.split_once('_')?.1.to_ascii_uppercase();
    let bytes = BASE32HEX_NOPAD.decode(digits.as_bytes()).ok()?;
    Some(u128::from_be_bytes(bytes.try_into().ok()?))
}

/// An id for what the parts name.
pub fn of(prefix: &str, parts: &[&[u8]]) -> String {
    text(prefix, hash(parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_order_and_come_back() {
        let numbers = [0, 1, 31, 32, u128::MAX / 3, u128::MAX];
        let ids: Vec<String> = numbers.iter().map(|number| text("d", *number)).collect();
        assert!(ids.is_sorted());
        for (id, number) in ids.iter().zip(numbers) {
            assert_eq!(super::number(id), Some(number));
            assert_eq!(id.len(), 28);
        }
        assert_eq!(number("d_xyz"), None);
        assert_eq!(number("nothing"), None);
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]));
    }
}
