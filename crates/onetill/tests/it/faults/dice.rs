//! Chance from a seed.

/// A stream of numbers from a seed (splitmix64).
#[derive(Clone)]
pub struct Dice(u64);

impl Dice {
    /// The stream of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The seed of `ONETILL_SEED`, or a fresh one. It is printed, so that a failure can be tried
    /// again; races between processes differ all the same.
    pub fn seed(what: &str) -> u64 {
        let given = std::env::var("ONETILL_SEED").ok();
        let given = given.and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| {
            u64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(1) % 1_000_000_007
        });
        println!("{what}: ONETILL_SEED={seed}");
        seed
    }

    /// The next number.
    pub const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is more than 0.
    pub const fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    /// True so many times in a hundred.
    pub const fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`, which is not empty.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let count = u64::try_from(choices.len()).expect("a short list");
        let index = usize::try_from(self.below(count)).expect("an index");
        &choices[index]
    }
}
