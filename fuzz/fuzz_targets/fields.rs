//! Records of JSON: as lines and as one value, whatever their fields are named and however they are nested.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let whole = garrison_fuzz::read("a.jsonl", bytes, u64::MAX);
    let parts = garrison_fuzz::read("a.jsonl", bytes, 100);
    if whole != parts && garrison_fuzz::is_told_as("jsonl", "a.jsonl", bytes) {
        assert_eq!(whole, parts);
    }
    whole.0.into_iter().for_each(garrison_fuzz::document);
});
