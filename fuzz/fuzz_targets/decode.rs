//! Bytes to text under a declared charset or none, and the repair of that text.

#![no_main]

use garrison::normalize::{decode, repair};
use libfuzzer_sys::fuzz_target;

/// What transports declare; the first byte of an input takes one.
const DECLARED: [Option<&str>; 12] = [
    None,
    Some("utf-8"),
    Some("utf-16"),
    Some("utf-16be"),
    Some("windows-1251"),
    Some("windows-1252"),
    Some("windows-1256"),
    Some("koi8-r"),
    Some("gbk"),
    Some("shift_jis"),
    Some("iso-2022-jp"),
    Some("text/html; charset=\"no-such-charset\""),
];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else {
        return;
    };
    let declared = DECLARED[usize::from(first & 0x7f) % DECLARED.len()];
    let decoded = decode::decode(bytes, declared, first & 0x80 != 0);
    assert!(!decoded.text.contains('\0'));
    assert!(decoded.replaced as usize <= bytes.len());
    // Of one byte come at most three: a letter of a small alphabet or U+FFFD.
    assert!(decoded.text.len() <= 3 * bytes.len() + 3);
    let repaired = repair::repair(&decoded.text);
    assert_eq!(repaired.repairs.is_empty(), repaired.text == decoded.text);
    // What is repaired needs no more of it.
    let again = repair::repair(&repaired.text);
    assert!(again.text.len() <= repaired.text.len());
});
