//! Philox against Random123's known answers, and the fast path against the plain one.

use kernels::random::{Stream, philox};

#[test]
fn known_answers() {
    let answers = [
        (
            [0; 4],
            [0; 2],
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
        ),
        (
            [u32::MAX; 4],
            [u32::MAX; 2],
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
        ),
        (
            [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
            [0xa409_3822, 0x299f_31d0],
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
        ),
    ];
    for (counter, key, expected) in answers {
        assert_eq!(philox(counter, key), expected);
    }
}

#[test]
fn filling_gives_each_position_its_own_number() {
    let key = [5u32, 6, 7, 0];
    // SAFETY: the key has four words.
    let stream = unsafe { Stream::new(key.as_ptr(), 3) };
    for start in [0u64, 1, 2, 3, 4, 9, (1 << 34) - 6] {
        for length in [0, 1, 3, 16, 17, 40, 70] {
            let mut numbers = vec![0.0; length];
            stream.fill(start, &mut numbers);
            for (i, number) in numbers.iter().enumerate() {
                assert_eq!(*number, stream.uniform(start + i as u64));
                assert!((0.0..1.0).contains(number));
            }
        }
    }
}
