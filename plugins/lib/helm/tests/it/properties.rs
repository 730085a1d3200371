//! Random charts: nothing panics, everything ends.

use proptest::prelude::*;

use crate::laws;

proptest! {
    #[test]
    fn random_charts(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        laws::random_charts_survive(&bytes);
    }
}
