//! Arrays played without hosts.

use super::*;

const NOW: Duration = Duration::ZERO;

fn host(number: u8) -> HostKey {
    HostKey::from_bytes([number; 32])
}

fn spread(jobs: usize, hosts: &[usize], replicas: usize) -> Spread {
    let hosts = hosts.iter().enumerate().map(|(at, room)| (host(at as u8), *room));
    Spread::new(std::iter::repeat_n(None, jobs), hosts, replicas)
}

/// Everything that can be started now.
fn start_all(spread: &mut Spread, now: Duration) -> Vec<Task> {
    std::iter::from_fn(|| match spread.next(now) {
        Step::Start(task) => Some(task),
        _ => None,
    })
    .collect()
}

/// Plays to the end: `play` says what comes of each task. What was done, by job.
fn play(spread: &mut Spread, mut play: impl FnMut(Task) -> Result<(), Trouble>) -> BTreeMap<usize, Vec<HostKey>> {
    let mut done = BTreeMap::<usize, Vec<HostKey>>::new();
    let mut going = std::collections::VecDeque::new();
    let mut now = NOW;
    loop {
        match spread.next(now) {
            Step::Start(task) => going.push_back(task),
            Step::Over => return done,
            Step::Wait(until) => match going.pop_front() {
                Some(task) => match play(task) {
                    Ok(()) => {
                        spread.done(task);
                        done.entry(task.job).or_default().push(task.host);
                    }
                    Err(trouble) => drop(spread.failed(task, trouble, now)),
                },
                None => now = until.expect("a time to wait for, since nothing goes on"),
            },
        }
    }
}

#[test]
fn the_first_jobs_go_to_different_hosts_the_best_first() {
    let mut spread = spread(3, &[4, 4, 4], 1);
    let hosts = start_all(&mut spread, NOW).into_iter().map(|task| task.host).collect::<Vec<_>>();
    assert_eq!(hosts, [host(0), host(1), host(2)]);
}

#[test]
fn a_host_has_no_more_than_its_room_and_takes_the_next_when_one_is_done() {
    let mut spread = spread(10, &[1, 2], 1);
    let first = start_all(&mut spread, NOW);
    assert_eq!(first.len(), 3);
    assert_eq!(spread.next(NOW), Step::Wait(None));
    let fast = first.iter().find(|task| task.host == host(1)).expect("it got one");
    spread.done(*fast);
    assert_eq!(spread.next(NOW), Step::Start(Task { job: 3, host: host(1) }));
}

#[test]
fn every_job_is_done_once() {
    let mut spread = spread(1000, &[3, 1, 7], 1);
    let done = play(&mut spread, |_| Ok(()));
    assert_eq!(done.len(), 1000);
    assert!(done.values().all(|hosts| hosts.len() == 1));
}

#[test]
fn a_job_that_fails_goes_elsewhere_and_not_back() {
    let mut spread = spread(1, &[1, 1, 1], 1);
    let mut tried = Vec::new();
    let done = play(&mut spread, |task| {
        tried.push(task.host);
        if tried.len() < 3 { Err(Trouble::Failed) } else { Ok(()) }
    });
    assert_eq!(tried, [host(0), host(1), host(2)]);
    assert_eq!(done[&0], [host(2)]);
}

#[test]
fn a_job_that_fails_everywhere_is_given_up_and_stops_no_other() {
    let mut spread = spread(50, &[1; 9], 1);
    let mut tries = 0;
    let done = play(&mut spread, |task| {
        tries += usize::from(task.job == 7);
        if task.job == 7 { Err(Trouble::Failed) } else { Ok(()) }
    });
    assert_eq!(tries, TRIES_MAX as usize);
    assert_eq!(done.len(), 49);
}

#[test]
fn a_host_that_always_fails_is_dropped_and_the_others_do_its_jobs() {
    for (trouble, failed_max) in [(Trouble::Failed, FAULTS_MAX), (Trouble::Gone, FAULTS_MAX / FAULTS_GONE)] {
        let mut spread = spread(100, &[4, 4], 1);
        let mut failed = 0;
        let done = play(&mut spread, |task| {
            failed += u32::from(task.host == host(0));
            if task.host == host(0) { Err(trouble) } else { Ok(()) }
        });
        assert_eq!(done.len(), 100);
        // Beside what was there already when it was dropped.
        assert!((failed_max..failed_max + 4).contains(&failed), "it went on for {failed} jobs");
    }
}

#[test]
fn a_few_bad_jobs_in_a_row_cost_no_host() {
    let mut spread = spread(60, &[2, 2, 2, 2], 1);
    let done = play(&mut spread, |task| if (20..26).contains(&task.job) { Err(Trouble::Failed) } else { Ok(()) });
    assert_eq!(done.len(), 54);
}

#[test]
fn a_host_that_fails_now_and_then_stays() {
    let mut spread = spread(100, &[1, 1], 1);
    let mut count = 0;
    let done = play(&mut spread, |task| {
        count += usize::from(task.host == host(0));
        if task.host == host(0) && count.is_multiple_of(3) { Err(Trouble::Failed) } else { Ok(()) }
    });
    assert_eq!(done.len(), 100);
    assert!(done.values().filter(|hosts| hosts.contains(&host(0))).count() > 20);
}

#[test]
fn an_unable_host_is_dropped_at_once_and_no_job_pays_for_it() {
    let mut spread = spread(2, &[2, 2], 1);
    let task = start_all(&mut spread, NOW)[0];
    let effect = spread.failed(task, Trouble::Unable, NOW);
    assert_eq!(effect, Effect { host_dropped: true, job_given_up: false });
    assert_eq!(spread.next(NOW), Step::Start(Task { job: task.job, host: host(1) }));
}

#[test]
fn a_full_host_is_asked_again_later_and_in_the_end_no_more() {
    let mut spread = spread(1, &[4], 1);
    let mut now = NOW;
    let mut asked = 0;
    loop {
        match spread.next(now) {
            Step::Start(task) => {
                asked += 1;
                spread.failed(task, Trouble::Full, now);
            }
            Step::Wait(until) => {
                let until = until.expect("a time");
                assert!(until > now);
                now = until;
            }
            Step::Over => break,
        }
    }
    assert_eq!(asked, FULLS_MAX);
    assert!(now >= Duration::from_secs(30), "it had time to get room: {now:?}");
}

#[test]
fn a_host_that_is_full_with_our_jobs_is_left_with_those() {
    let mut spread = spread(8, &[4], 1);
    let tasks = start_all(&mut spread, NOW);
    spread.failed(tasks[3], Trouble::Full, NOW);
    assert_eq!(spread.next(NOW), Step::Wait(None), "it has three");
    spread.done(tasks[0]);
    assert!(matches!(spread.next(NOW), Step::Start(_)), "one is done, and one more is tried");
}

#[test]
fn replicas_are_at_different_hosts() {
    let mut spread = spread(40, &[2, 3, 1, 4], 3);
    let done = play(&mut spread, |_| Ok(()));
    assert_eq!(done.len(), 40);
    for hosts in done.values() {
        assert_eq!(hosts.iter().collect::<BTreeSet<_>>().len(), 3, "{hosts:?}");
    }
}

#[test]
fn replicas_that_no_host_is_left_for_end_the_array_without_them() {
    let mut spread = spread(5, &[1, 1], 2);
    let done = play(&mut spread, |task| if task.host == host(1) { Err(Trouble::Gone) } else { Ok(()) });
    assert_eq!(done.len(), 5);
    assert!(done.values().all(|hosts| hosts == &[host(0)]));
}

#[test]
fn what_was_done_before_is_not_done_again() {
    let mut spread = spread(6, &[2, 2], 1);
    for job in 0..4 {
        // By a host that is here no more, too.
        spread.was_done(Task { job, host: host(job as u8) });
    }
    assert_eq!(play(&mut spread, |_| Ok(())).into_keys().collect::<Vec<_>>(), [4, 5]);
}

#[test]
fn of_replicas_only_the_missing_ones_are_done_elsewhere() {
    let mut spread = spread(1, &[1, 1], 2);
    spread.was_done(Task { job: 0, host: host(0) });
    spread.was_done(Task { job: 0, host: host(0) });
    assert_eq!(play(&mut spread, |_| Ok(()))[&0], [host(1)]);
}

#[test]
fn a_host_gets_the_job_whose_input_it_has() {
    let inputs = [b"a", b"b", b"c"].map(|bytes| Some(Hash::of(bytes)));
    let mut spread = Spread::new(inputs, [(host(0), 1), (host(1), 1)], 1);
    spread.holds(host(0), Hash::of(b"c"));
    spread.holds(host(1), Hash::of(b"a"));
    let first = start_all(&mut spread, NOW);
    assert_eq!(first, [Task { job: 2, host: host(0) }, Task { job: 0, host: host(1) }]);
    spread.done(first[0]);
    assert_eq!(spread.next(NOW), Step::Start(Task { job: 1, host: host(0) }));
}

#[test]
fn a_large_array_over_two_hosts_is_no_matter_of_its_square() {
    let mut spread = spread(20_000, &[8, 8], 2);
    let done = play(&mut spread, |_| Ok(()));
    assert!(done.values().all(|hosts| hosts.len() == 2) && done.len() == 20_000);
}
