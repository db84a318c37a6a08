//! The seeded simulation of faults: many seeds keep every promise, one seed is one run, and
//! planted bugs are found.

use crate::simulation_plants::{Plant, Planted};
use onetill::simulate::{
    self, Run,
    rows::{MemoryRows, SqliteRows},
};

/// A planted bug that no seed of these finds would have been let through.
const SEEDS_MAX: u64 = 1500;

fn in_memory(seed: u64) -> Run {
    simulate::run(seed, MemoryRows::default()).unwrap()
}

fn in_sqlite(seed: u64) -> Run {
    let dir = tempfile::tempdir().unwrap();
    let rows = SqliteRows::create(&dir.path().join("rows.db")).unwrap();
    simulate::run(seed, rows).unwrap()
}

#[test]
fn two_hundred_seeds_keep_every_promise() {
    let mut kills = 0;
    for seed in 1..=200 {
        let run = in_memory(seed);
        assert!(run.failure.is_none(), "{run}");
        kills += run.counts.kills;
    }
    assert!(kills > 100, "a simulation without faults proves nothing");
}

#[test]
fn seeds_keep_every_promise_over_sqlite() {
    for seed in 1..=10 {
        let run = in_sqlite(seed);
        assert!(run.failure.is_none(), "{run}");
    }
}

#[test]
fn the_same_seed_is_the_same_run_event_by_event() {
    for seed in 1..=20 {
        let (first, again) = (in_memory(seed), in_memory(seed));
        assert_eq!(first.lines, again.lines, "seed {seed}");
        assert_eq!(first.digest, again.digest, "seed {seed}");
        assert_ne!(first.digest, in_memory(seed + 1000).digest);
    }
}

#[test]
fn the_same_seed_is_the_same_run_over_sqlite() {
    for seed in 1..=3 {
        assert_eq!(in_sqlite(seed).lines, in_sqlite(seed).lines, "seed {seed}");
    }
}

/// The first seed that finds `plant`.
fn found(plant: Plant) -> Run {
    let runs = (1..=SEEDS_MAX).map(|seed| simulate::run(seed, Planted::new(plant)).unwrap());
    let found = runs.into_iter().find(|run| run.failure.is_some());
    found.unwrap_or_else(|| panic!("{plant:?} was not found"))
}

#[test]
fn a_store_that_answers_without_committing_is_found() {
    found(Plant::NeverCommits);
}

#[test]
fn a_store_that_drops_a_posting_is_found() {
    let run = found(Plant::DropsAPosting);
    let text = run.failure.unwrap().text;
    assert!(text.contains("Posting"), "{text}");
}

#[test]
fn a_batch_that_is_replayed_blindly_is_found() {
    found(Plant::ReplaysABatch);
}

#[test]
fn a_store_that_forgets_a_number_is_found() {
    found(Plant::ForgetsAClaim);
}

#[test]
fn a_store_that_says_down_after_it_committed_is_found() {
    found(Plant::SaysDownAfterCommitting);
}

#[test]
fn a_store_that_loses_work_is_found() {
    found(Plant::LosesAJob);
}

/// What the first seed that finds `plant` says of it.
fn said_of(plant: Plant) -> String {
    found(plant).failure.unwrap().text
}

#[test]
fn a_store_that_drops_a_posting_of_a_card_is_found() {
    let text = said_of(Plant::DropsAPostingOfACard);
    assert!(text.contains("TransPosting"), "{text}");
}

#[test]
fn a_store_that_loses_a_tombstone_is_found() {
    let text = said_of(Plant::LosesATombstone);
    let is_late = text.contains("carried out after its reversal");
    assert!(is_late || text.contains("not known"), "{text}");
}

#[test]
fn a_store_that_forgets_that_a_message_is_reversed_is_found() {
    let text = said_of(Plant::ForgetsThatAMessageIsReversed);
    let is_late = text.contains("carried out after its reversal");
    let is_listed = text.contains("another journal");
    // The batch was counted without it.
    let is_counted = text.contains("Trans") || text.contains("BatchTotals");
    assert!(is_late || is_listed || is_counted, "{text}");
}

#[test]
fn a_message_that_is_carried_out_twice_is_found() {
    let text = said_of(Plant::CarriesAMessageOutTwice);
    assert!(text.contains("message") || text.contains("Trans"), "{text}");
}

#[test]
fn a_store_that_forgets_a_wrong_pin_is_found() {
    let text = said_of(Plant::ForgetsAWrongPin);
    assert!(text.contains("PinLocked"), "{text}");
}

#[test]
fn a_store_that_drops_a_use_of_a_code_is_found() {
    found(Plant::DropsAUse);
}

#[test]
fn a_store_that_keeps_the_use_of_a_dead_payment_held_is_found() {
    found(Plant::KeepsAUseHeld);
}

#[test]
fn a_store_that_forgets_to_give_a_use_back_is_found() {
    found(Plant::ForgetsAGiveBack);
}

#[test]
fn a_store_that_activates_a_range_in_part_is_found() {
    found(Plant::ActivatesInPart);
}

#[test]
fn a_store_that_forgets_a_freezing_is_found() {
    found(Plant::ForgetsAFreezing);
}

#[test]
fn a_store_that_forgets_the_number_of_a_change_is_found() {
    found(Plant::ForgetsAChange);
}

#[test]
fn a_failure_tells_its_story_and_how_to_see_it_again() {
    let run = found(Plant::ForgetsAClaim);
    let story = run.to_string();
    let again = format!("onetill simulate faults --seed {} --trace", run.seed);
    assert!(story.ends_with(&again), "{story}");
    assert!(run.history().len() > 3, "{story}");
    assert!(run.history().len() <= 40, "{story}");
}
