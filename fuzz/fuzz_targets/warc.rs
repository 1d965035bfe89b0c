//! Archives: plain, packed as a whole and packed by record, read in one go and in small units. However a file is cut, the
//! same records come out of it, under the same numbers.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let whole = garrison_fuzz::read("a.warc.gz", bytes, u64::MAX);
    let parts = garrison_fuzz::read("a.warc.gz", bytes, 200);
    if whole != parts && garrison_fuzz::is_told_as("warc", "a.warc.gz", bytes) {
        assert_eq!(whole, parts);
    }
    whole.0.into_iter().for_each(garrison_fuzz::document);
});
