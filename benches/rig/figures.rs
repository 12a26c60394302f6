//! How figures are told: each with its goal, and whether it is reached.

use std::time::Duration;

/// Tells a figure of which more is better.
pub fn at_least(name: &str, what: &str, figure: f64, goal: f64) {
    tell(name, what, figure, ">=", goal, figure >= goal);
}

/// Tells a figure of which less is better.
pub fn at_most(name: &str, what: &str, figure: f64, goal: f64) {
    tell(name, what, figure, "<=", goal, figure <= goal);
}

fn tell(name: &str, what: &str, figure: f64, sign: &str, goal: f64, reached: bool) {
    let ratio = figure / goal;
    let verdict = if reached { "reached" } else { "NOT reached" };
    println!("{name}: {what}: {figure:.2}, goal {sign} {goal}, ratio {ratio:.2}, {verdict}");
}

/// The time that so many hundredths of `times` are within.
pub fn within(times: &mut [Duration], hundredths: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() - 1) * hundredths / 100]
}

/// Milliseconds, as a number.
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
