//! Where accounts are reached, as protocol.md §3 says it, kept naively: an account is at its bare JID or at resources.

use std::collections::{BTreeMap, BTreeSet};

/// What is known of one account.
#[derive(Clone, Debug, Default)]
pub struct Route {
    /// Whether the home server takes MIX traffic at the bare JID.
    pub bare: bool,
    /// Resources that must get a copy.
    pub sure: BTreeSet<String>,
    /// Resources that may get one: they were heard of and are not known to be gone.
    pub heard: BTreeSet<String>,
    /// Something of some channel came back: at the bare JID (`None`), or at these resources. There need be no copy, since that
    /// channel may be paused there.
    pub doubted: BTreeSet<Option<String>>,
}

impl Route {
    /// The resources that must get a copy whatever came back.
    fn certain(&self) -> impl Iterator<Item = &String> {
        self.sure.iter().filter(|resource| !self.doubted.contains(&Some((*resource).clone())))
    }
}

/// Everybody's routes, and what of them outlives the process.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    routes: BTreeMap<String, Route>,
    saved: BTreeMap<String, Route>,
    /// As they were earlier in the turn: what goes out early in a turn follows them.
    earlier: BTreeMap<String, Vec<Route>>,
}

impl Routes {
    fn entry(&mut self, account: &str) -> &mut Route {
        let route = self.routes.entry(account.to_owned()).or_default();
        self.earlier.entry(account.to_owned()).or_default().push(route.clone());
        route
    }

    /// The account joined: by its home server, or by a resource of its own.
    pub fn joined(&mut self, account: &str, at_bare: bool) {
        self.entry(account).bare = at_bare;
    }

    /// A resource spoke MIX to a channel it is in.
    pub fn spoke(&mut self, account: &str, resource: Option<&str>) {
        if let Some(resource) = resource {
            let route = self.entry(account);
            route.sure.insert(resource.to_owned());
            route.heard.insert(resource.to_owned());
        }
    }

    /// A resource came online.
    pub fn heard(&mut self, account: &str, resource: &str) {
        self.entry(account).heard.insert(resource.to_owned());
    }

    /// A resource told whether it takes MIX traffic.
    pub fn told(&mut self, account: &str, resource: &str, takes: bool) {
        let route = self.entry(account);
        if takes && route.heard.contains(resource) {
            route.sure.insert(resource.to_owned());
        }
    }

    /// A resource is not there: what the question was for settles whether anything still goes to it.
    pub fn absent(&mut self, account: &str, resource: &str) {
        self.entry(account).sure.remove(resource);
    }

    /// Something came back from an address.
    pub fn bounced(&mut self, from: &str) {
        let (account, resource) =
            from.split_once('/').map_or((from, None), |(account, resource)| (account, Some(resource)));
        self.entry(account).doubted.insert(resource.map(str::to_owned));
    }

    /// A resource is gone.
    pub fn gone(&mut self, account: &str, resource: &str) {
        let route = self.entry(account);
        route.sure.remove(resource);
        route.heard.remove(resource);
    }

    /// A turn begins.
    pub fn begin(&mut self) {
        self.earlier.clear();
    }

    /// The state was made durable; of accounts that are in no channel, nothing need be kept.
    pub fn save(&mut self, is_member: impl Fn(&str) -> bool) {
        self.saved = self.routes.clone();
        let others = self.saved.iter_mut().filter(|(account, _)| !is_member(account));
        others.for_each(|(_, route)| route.sure.clear());
        // Pauses are volatile; that an account was moved from its bare JID is not.
        self.saved.values_mut().for_each(|route| route.doubted.retain(Option::is_none));
    }

    /// The process ended and started again.
    pub fn restart(&mut self) {
        self.routes = self.saved.clone();
    }

    /// Whether a resource must get a copy if its account is reached there, and whether it was heard of.
    pub fn known(&self, account: &str, resource: &str) -> (bool, bool) {
        let route = self.routes.get(account);
        let has = |of: fn(&Route) -> &BTreeSet<String>| route.is_some_and(|route| of(route).contains(resource));
        (has(|route| &route.sure), has(|route| &route.heard))
    }

    /// The addresses that must get a copy.
    pub fn sure(&self, account: &str) -> BTreeSet<String> {
        let Some(route) = self.routes.get(account) else { return BTreeSet::new() };
        match route.bare {
            true if route.doubted.contains(&None) => BTreeSet::new(),
            true => BTreeSet::from([account.to_owned()]),
            false => route.certain().map(|resource| format!("{account}/{resource}")).collect(),
        }
    }

    /// The addresses that must get a copy of what goes to a guest: its home server knows of no such channel.
    pub fn sure_of_guest(&self, account: &str) -> BTreeSet<String> {
        let sure = self.routes.get(account).into_iter().flat_map(Route::certain);
        sure.map(|resource| format!("{account}/{resource}")).collect()
    }

    /// Whether an address may get a copy; a resource of a guest may, wherever its account is reached.
    pub fn may(&self, account: &str, resource: Option<&str>, as_guest: bool) -> bool {
        let earlier = self.earlier.get(account).into_iter().flatten();
        earlier.chain(self.routes.get(account)).any(|route| match resource {
            None => route.bare,
            Some(resource) => {
                (as_guest || !route.bare || route.doubted.contains(&None)) && route.heard.contains(resource)
            }
        })
    }
}
