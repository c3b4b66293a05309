use std::sync::atomic::{AtomicUsize, Ordering};

use super::{FAULT_INDEX, Team};

/// Runs `work` on every thread of a team of so many.
fn on_team(threads: u32, work: impl Fn(&Team) + Sync) -> Team {
    let team = Team::new(threads, |_| {});
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| work(&team));
        }
    });
    team
}

#[test]
fn every_block_is_claimed_once_in_every_round() {
    const BLOCKS: usize = 37;
    const ROUNDS: usize = 200;
    for threads in 1..=3 {
        let counts: Vec<AtomicUsize> = (0..BLOCKS * ROUNDS).map(|_| AtomicUsize::new(0)).collect();
        on_team(threads, |team| {
            for round in 0..ROUNDS {
                team.for_each_block(BLOCKS, |block| {
                    counts[round * BLOCKS + block].fetch_add(1, Ordering::Relaxed);
                });
                team.barrier();
            }
        });
        assert!(
            counts
                .iter()
                .all(|count| count.load(Ordering::Relaxed) == 1)
        );
    }
}

#[test]
fn what_was_written_before_a_barrier_is_read_after_it() {
    let cells: [AtomicUsize; 3] = [const { AtomicUsize::new(0) }; 3];
    on_team(3, |team| {
        for round in 1..100 {
            team.for_each_block(3, |block| cells[block].store(round, Ordering::Relaxed));
            team.barrier();
            assert!(
                cells
                    .iter()
                    .all(|cell| cell.load(Ordering::Relaxed) == round)
            );
            team.barrier();
        }
    });
}

#[test]
fn the_fault_with_the_lowest_position_is_kept() {
    let team = on_team(3, |team| {
        team.set_call(4);
        team.for_each_block(30, |block| {
            team.fault(FAULT_INDEX, 40 - block, block as i32)
        });
        team.barrier();
    });
    // SAFETY: the words are the team's own.
    let words = unsafe { &*team.fault_words() };
    let [code, call, position, value] = words.each_ref().map(|word| word.load(Ordering::Relaxed));
    assert_eq!((code, call, position, value), (FAULT_INDEX, 4, 11, 29));
}
