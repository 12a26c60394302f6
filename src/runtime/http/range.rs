//! The part of a file that a request asks for (RFC 9110 §14.2).

/// The first and last byte that a `Range` header names. `None` where the whole file is to be sent, also for several
/// ranges; an error where there is no such part.
pub fn part(range: &str, len: u64) -> Option<Result<(u64, u64), ()>> {
    let (first, last) = range.trim().strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (first, last) = match (first.trim(), last.trim()) {
        ("", suffix) => match number(suffix)? {
            0 => return Some(Err(())),
            count => (len.saturating_sub(count), len.saturating_sub(1)),
        },
        (first, "") => (number(first)?, len.saturating_sub(1)),
        (first, last) => (number(first)?, number(last)?),
    };
    if first > last && first < len {
        return None;
    }
    Some(if first < len { Ok((first, last.min(len - 1))) } else { Err(()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_files_are_read_as_http_has_them() {
        for (range, expected) in [
            ("bytes=0-3", Some(Ok((0, 3)))),
            ("bytes=4-", Some(Ok((4, 9)))),
            ("bytes=-3", Some(Ok((7, 9)))),
            ("bytes=-30", Some(Ok((0, 9)))),
            ("bytes=8-99", Some(Ok((8, 9)))),
            ("bytes=10-", Some(Err(()))),
            ("bytes=-0", Some(Err(()))),
            ("bytes=3-2", None),
            ("bytes=0-1,4-5", None),
            ("lines=0-1", None),
            ("bytes=a-b", None),
        ] {
            assert_eq!(part(range, 10), expected, "{range}");
        }
        assert_eq!(part("bytes=0-", 0), Some(Err(())));
        assert_eq!(part("bytes=-1", 0), Some(Err(())));
    }
}
