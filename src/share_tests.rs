//! Shares: who may have more, and who loses.

use super::hits::NAMED_MAX;
use super::*;
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::collections::BTreeMap;

fn who(text: &str) -> BareJid {
    BareJid::new(text).unwrap()
}

fn shares(max: usize) -> Shares<BareJid> {
    Shares::new("things", max, OwnDomains::new(["home".to_owned(), "*".to_owned()]))
}

/// Takes one after the other, and drops what has to go for it. Returns how many found room.
fn flood(shares: &mut Shares<BareJid>, who: &BareJid, count: usize) -> usize {
    (0..count).filter(|_| shares.take_over(who, 1, |_| 1)).count()
}

#[test]
fn while_there_is_room_nobody_is_held_back() {
    let mut shares = shares(100);
    assert_eq!(flood(&mut shares, &who("a@away"), 100), 100);
    assert_eq!(shares.take(&who("a@away"), 1), Err(Full::Own));
    assert_eq!((shares.held(), shares.held_by(&who("a@away")), shares.held_by(&who("b@away"))), (100, 100, 0));
}

#[test]
fn the_domain_with_most_loses_first_then_its_account_with_most() {
    let mut shares = shares(100);
    flood(&mut shares, &who("a@away"), 60);
    flood(&mut shares, &who("b@away"), 10);
    flood(&mut shares, &who("c@far"), 30);
    assert_eq!(shares.take(&who("d@near"), 1), Err(Full::Of(who("a@away"))));
    assert_eq!(shares.take(&who("b@away"), 1), Err(Full::Of(who("a@away"))));
    assert_eq!(shares.take(&who("a@away"), 1), Err(Full::Own));
    // However many accounts it has: who has most of the domain with most.
    assert_eq!(shares.take(&who("c@far"), 1), Err(Full::Of(who("a@away"))));
    assert_eq!(flood(&mut shares, &who("d@near"), 100), 35);
    assert_eq!(["a@away", "b@away", "c@far"].map(|it| shares.held_by(&who(it))), [25, 10, 30]);
}

#[test]
fn all_domains_below_one_that_was_registered_have_one_share() {
    let mut shares = shares(100);
    (0..200).for_each(|n| {
        flood(&mut shares, &who(&format!("a@x{n}.evil.example")), 1);
    });
    // One domain among a hundred that have as much each would lose to them.
    assert_eq!(flood(&mut shares, &who("b@good.example"), 40), 40);
    assert_eq!(flood(&mut shares, &who("c@chat.far.co.uk"), 20), 20);
    assert!(shares.hits().all(|hit| hit.domain == "evil.example"));
    // What is below the service's own domain is its owner's, and not the service's own.
    let own = OwnDomains::new(["home.example".to_owned()]);
    let sites = ["home.example", "a.home.example", "b.away.example"].map(|domain| own.site(domain));
    assert_eq!(sites, ["home.example", "a.home.example", "away.example"]);
}

#[test]
fn own_domains_keep_half_and_all_others_a_quarter_whoever_comes_first() {
    let mut first_home = shares(100);
    assert_eq!(flood(&mut first_home, &who("a@home"), 100), 100);
    // Any number of domains together, each of which has less than the one at home.
    let foreign = (0..100).filter(|n| flood(&mut first_home, &who(&format!("a@away{n}")), 1) == 1).count();
    assert_eq!(first_home.held_by(&who("a@home")), 50, "{foreign}");
    let mut first_away = shares(100);
    (0..100).for_each(|n| {
        flood(&mut first_away, &who(&format!("a@away{n}")), 1);
    });
    // Each at home has one, and so has each domain elsewhere.
    let home = (0..100).filter(|n| flood(&mut first_away, &who(&format!("a{n}@home")), 1) == 1).count();
    assert_eq!(home, 50);
    let mut accounts_at_home = shares(100);
    (0..100).for_each(|n| {
        flood(&mut accounts_at_home, &who(&format!("a{n}@home")), 1);
    });
    assert_eq!(flood(&mut accounts_at_home, &who("a@away"), 100), 50);
    assert_eq!(accounts_at_home.held(), 100);
}

#[test]
fn one_floods_and_the_other_finds_room_whichever_of_them_is_at_home() {
    for (flooding, other) in
        [("a@away", "b@far"), ("a@away", "b@away"), ("a@away", "b@home"), ("a@home", "b@home"), ("a@home", "b@away")]
    {
        let mut shares = shares(1000);
        flood(&mut shares, &who(flooding), 5000);
        for n in 0..250 {
            assert!(shares.take_over(&who(other), 1, |_| 1), "{flooding} {other} {n}");
            flood(&mut shares, &who(flooding), 20);
        }
        let hits: Vec<Hit> = shares.hits().collect();
        let named = hits.iter().all(|hit| hit.domain == who(flooding).host() && hit.what == "things");
        assert!(named && hits.len() == 1 && hits[0].count > 4000, "{hits:?}");
        assert_eq!(shares.hits().count(), 0);
    }
}

#[test]
fn what_is_not_taken_away_again_leaves_something_to_whoever_comes_later() {
    let settle = |shares: &mut Shares<BareJid>, who: &BareJid, count: usize, for_all: bool| {
        (0..count).filter(|_| shares.settle(who, 1, for_all)).count()
    };
    let mut shares = shares(100_000);
    // While half of it is free nobody is held back; then one account gets no more, and each further one a small part.
    assert_eq!(settle(&mut shares, &who("a@home"), 500_000, false), 50_000);
    (0..30).for_each(|n| {
        settle(&mut shares, &who(&format!("a{n}@home")), 5000, false);
    });
    assert!(settle(&mut shares, &who("late@home"), 400, false) == 400, "{}", shares.held());
    // Where anybody may, a quarter is kept for the others, and half for those.
    let mut shares = super::tests::shares(1000);
    (0..5000).for_each(|n| {
        settle(&mut shares, &who(&format!("a{n}@home")), 1, true);
    });
    assert_eq!(shares.held(), 750);
    assert_eq!(settle(&mut shares, &who("a@away"), 5000, true), 125);
    let mut shares = super::tests::shares(1000);
    (0..5000).for_each(|n| {
        settle(&mut shares, &who(&format!("a{n}@away")), 1, true);
    });
    assert_eq!(shares.held(), 314, "one domain");
    assert_eq!(settle(&mut shares, &who("a@far"), 5000, true), 11);
    (0..5000).for_each(|n| {
        settle(&mut shares, &who(&format!("a@away{n}")), 1, true);
    });
    assert_eq!(shares.held(), 500);
    assert_eq!(settle(&mut shares, &who("a@home"), 5000, true), 250);
    // An account that has nothing gets the last place.
    assert!(super::tests::shares(1).settle(&who("a@home"), 1, false));
}

#[test]
fn a_few_accounts_of_a_domain_keep_none_of_its_others_out_of_what_is_not_taken_away_again() {
    let own = || OwnDomains::new(["home".to_owned(), "second".to_owned()]);
    for (domain, others) in [("home", ["second", "far"]), ("away", ["far", "home"])] {
        for (accounts, each) in [(1000, 1), (12, 1000)] {
            let mut shares = Shares::new("things", 1000, own());
            let mut take = |who: String, count: usize| {
                let who = super::tests::who(&who);
                (0..count).filter(|_| shares.settle(&who, 1, true)).count()
            };
            let flood: usize = (0..accounts).map(|n| take(format!("x{n}@{domain}"), each)).sum();
            // Where each of a domain has something, it has what it may have.
            let late = (0..20).filter(|n| take(format!("late{n}@{domain}"), 1) == 1).count();
            assert_eq!(late, if each > 1 { 20 } else { 0 }, "{domain} {each}: {flood}, {late}");
            for other in others {
                let count = (0..40).filter(|n| take(format!("a{n}@{other}"), 1) == 1).count();
                // Anybody may have any number of domains, so one of those has a small part of what is left.
                assert!(count == 40 || (count >= 11 && (domain, other) == ("away", "far")), "{domain} {each}: {other}");
            }
        }
    }
}

#[test]
fn a_tally_says_what_somebody_sees_of_all_there_is() {
    let own = OwnDomains::new(["home".to_owned(), "chat.away.example".to_owned()]);
    let people = ["a@home", "a@home", "b@chat.away.example", "c@x.away.example", "d@y.away.example", "e@far.example"];
    let mut tally = Tally::default();
    people.iter().chain(&["f@far.example"]).for_each(|it| tally.add(&who(it)));
    tally.remove(&who("f@far.example"));
    let held = |it: &str| {
        let Held { own, domain, side, others } = own.held(&who(it), &tally);
        [own, domain, side, others]
    };
    assert_eq!(["a@home", "b@chat.away.example"].map(held), [[2, 2, 3, 3], [1, 1, 3, 3]]);
    assert_eq!(
        ["c@z.away.example", "e@far.example", "f@far.example"].map(held),
        [[0, 2, 3, 3], [1, 1, 3, 3], [0, 1, 3, 3]]
    );
    people.iter().for_each(|it| tally.remove(&who(it)));
    assert_eq!(tally, Tally::default());
}

#[test]
fn domains_that_hit_a_share_are_named_in_bounded_number() {
    let mut shares = shares(0);
    for n in 0..1000 {
        assert_eq!(shares.take(&who(&format!("a@away{n}")), 1), Err(Full::Own));
    }
    assert_eq!(shares.take(&who("a@home"), 1), Err(Full::Own));
    let hits: Vec<Hit> = shares.hits().collect();
    assert_eq!((hits.len(), hits.iter().map(|hit| hit.count).sum::<u64>()), (NAMED_MAX + 2, 1001));
    assert!(hits.iter().any(|hit| hit.domain == "home") && hits.iter().any(|hit| hit.domain == OTHERS));
}

#[test]
fn what_is_counted_is_what_everybody_has() {
    let (mut dice, mut shares, mut own) = (StdRng::seed_from_u64(7), shares(500), BTreeMap::<BareJid, usize>::new());
    for _ in 0..20_000 {
        let domain = ["home", "away", "far"][dice.random_range(0..3)];
        let (who, amount) = (who(&format!("a{}@{domain}", dice.random_range(0..5))), dice.random_range(1..40));
        if dice.random_range(0..3) == 0 {
            let held = own.entry(who.clone()).or_default();
            let amount = amount.min(*held);
            *held -= amount;
            shares.give_back(&who, amount);
            continue;
        }
        let taken = shares.take_over(&who, amount, |loser| {
            let held = own.get_mut(loser).unwrap();
            *held -= 1;
            1
        });
        *own.entry(who).or_default() += if taken { amount } else { 0 };
        assert!(shares.held() <= 500);
        assert!(own.iter().all(|(who, held)| shares.held_by(who) == *held));
        assert_eq!(shares.held(), own.values().sum::<usize>());
    }
    own.iter().for_each(|(who, held)| shares.give_back(who, *held));
    assert!(shares.held() == 0 && shares.domains.is_empty() && shares.sides.iter().all(|side| side.order.is_empty()));
}
