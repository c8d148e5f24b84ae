//! Calls the provider as a C host does: by its symbols' names, through raw pointers.

use fakepay_provider::Status;
use std::collections::BTreeSet;
use std::ffi::{CStr, CString};
use std::os::raw::c_char;
use std::ptr;
use std::thread;

/// The provider's type, as little known here as in C.
#[repr(C)]
struct Opaque {
    _private: [u8; 0],
}

// Declared anew rather than imported, so that a renamed symbol fails to link.
extern "C" {
    fn fakepay_new() -> *mut Opaque;
    fn fakepay_delete(provider: *mut Opaque);
    fn fakepay_authorize(
        provider: *const Opaque,
        method: *const c_char,
        amount: u64,
        code: *mut *mut c_char,
    ) -> i32;
    fn fakepay_complete(
        provider: *const Opaque,
        code: *const c_char,
        transaction: *mut *mut c_char,
    ) -> i32;
    fn fakepay_methods(methods: *mut *mut c_char) -> i32;
    fn fakepay_free(text: *mut c_char);
    fn fakepay_describe(status: i32) -> *const c_char;
}

const STATUSES: [(&str, Status); 9] = [
    ("FAKEPAY_OK", Status::Ok),
    ("FAKEPAY_NULL_ARGUMENT", Status::NullArgument),
    ("FAKEPAY_INVALID_TEXT", Status::InvalidText),
    ("FAKEPAY_UNKNOWN_METHOD", Status::UnknownMethod),
    ("FAKEPAY_EMPTY_AMOUNT", Status::EmptyAmount),
    ("FAKEPAY_DECLINED", Status::Declined),
    ("FAKEPAY_UNKNOWN_CODE", Status::UnknownCode),
    ("FAKEPAY_ALREADY_COMPLETED", Status::AlreadyCompleted),
    ("FAKEPAY_INTERNAL", Status::Internal),
];

/// A provider that is deleted when its test ends.
struct Host(*mut Opaque);

// SAFETY: the ABI promises that several threads may use one provider.
unsafe impl Sync for Host {}

impl Host {
    fn new() -> Self {
        let provider = unsafe { fakepay_new() };
        assert!(!provider.is_null());
        Self(provider)
    }

    fn authorize(&self, method: &[u8], amount: u64) -> Result<String, i32> {
        let method = CString::new(method).unwrap();
        received(|out| unsafe { fakepay_authorize(self.0, method.as_ptr(), amount, out) })
    }

    fn complete(&self, code: &[u8]) -> Result<String, i32> {
        let code = CString::new(code).unwrap();
        received(|out| unsafe { fakepay_complete(self.0, code.as_ptr(), out) })
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        unsafe { fakepay_delete(self.0) }
    }
}

/// Copies the text a call returned and gives it back, or returns the status of its failure.
fn received(call: impl FnOnce(*mut *mut c_char) -> i32) -> Result<String, i32> {
    // Not null beforehand, so that a failing call is seen to clear it.
    let mut out = ptr::NonNull::dangling().as_ptr();
    match call(&mut out) {
        0 => {
            assert!(!out.is_null());
            let text = unsafe { CStr::from_ptr(out) }.to_str().unwrap().to_owned();
            unsafe { fakepay_free(out) };
            Ok(text)
        }
        status => {
            assert!(out.is_null());
            Err(status)
        }
    }
}

fn failed<T>(status: Status) -> Result<T, i32> {
    Err(status as i32)
}

#[test]
fn a_payment_is_authorized_then_completed_once() {
    let host = Host::new();
    let code = host.authorize(b"card", 1999).unwrap();
    assert_eq!(code, "AUTH-00000001");
    assert_eq!(host.complete(code.as_bytes()), Ok("TXN-00000001".into()));
    assert_eq!(
        host.complete(code.as_bytes()),
        failed(Status::AlreadyCompleted)
    );
}

#[test]
fn refusals_have_their_own_statuses() {
    let host = Host::new();
    assert_eq!(host.authorize(b"cash", 1), failed(Status::UnknownMethod));
    assert_eq!(host.authorize(b"card", 0), failed(Status::EmptyAmount));
    assert_eq!(host.authorize(b"card", u64::MAX), failed(Status::Declined));
    assert_eq!(host.complete(b"AUTH-00000001"), failed(Status::UnknownCode));
}

#[test]
fn providers_share_nothing() {
    let (one, other) = (Host::new(), Host::new());
    let code = one.authorize(b"card", 1).unwrap();
    assert_eq!(other.complete(code.as_bytes()), failed(Status::UnknownCode));
}

#[test]
fn methods_are_listed_and_each_is_known() {
    let methods = received(|out| unsafe { fakepay_methods(out) }).unwrap();
    assert_eq!(methods.lines().count(), 3);
    for line in methods.lines() {
        let fields: Vec<_> = line.split('\t').collect();
        assert_eq!(fields.len(), 3, "{line:?}");
        let limit: u64 = fields[2].parse().unwrap();
        let expected = match limit {
            0 => failed(Status::Declined),
            _ => Ok("AUTH-00000001".into()),
        };
        assert_eq!(
            Host::new().authorize(fields[0].as_bytes(), limit.max(1)),
            expected
        );
    }
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let host = Host::new();
    assert_eq!(host.authorize(b"c\xe4rd", 1), failed(Status::InvalidText));
    assert_eq!(host.complete(b"\xff"), failed(Status::InvalidText));
}

#[test]
fn null_arguments_are_refused() {
    let host = Host::new();
    let null = ptr::null();
    let nowhere = ptr::null_mut();
    let card = CString::new("card").unwrap();
    let expected = Status::NullArgument as i32;
    unsafe {
        assert_eq!(
            received(|out| fakepay_authorize(ptr::null(), card.as_ptr(), 1, out)),
            Err(expected)
        );
        assert_eq!(
            received(|out| fakepay_authorize(host.0, null, 1, out)),
            Err(expected)
        );
        assert_eq!(
            received(|out| fakepay_complete(ptr::null(), card.as_ptr(), out)),
            Err(expected)
        );
        assert_eq!(
            received(|out| fakepay_complete(host.0, null, out)),
            Err(expected)
        );
        assert_eq!(
            fakepay_authorize(host.0, card.as_ptr(), 1, nowhere),
            expected
        );
        assert_eq!(fakepay_complete(host.0, card.as_ptr(), nowhere), expected);
        assert_eq!(fakepay_methods(nowhere), expected);
    }
    // The refused call with nowhere to put the code must not have used it up.
    assert_eq!(host.authorize(b"card", 1), Ok("AUTH-00000001".into()));
}

#[test]
fn null_is_freed_and_deleted_without_effect() {
    unsafe {
        fakepay_free(ptr::null_mut());
        fakepay_delete(ptr::null_mut());
    }
}

#[test]
fn threads_get_codes_of_their_own() {
    const THREADS: usize = 8;
    const CALLS: usize = 100;
    let host = Host::new();
    let codes: BTreeSet<String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| -> Vec<String> {
                    (0..CALLS)
                        .map(|_| host.authorize(b"wallet", 1).unwrap())
                        .collect()
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    assert_eq!(codes.len(), THREADS * CALLS);
}

#[test]
fn every_status_has_words_of_its_own() {
    let words = |status| unsafe { CStr::from_ptr(fakepay_describe(status)) };
    let distinct: BTreeSet<_> = STATUSES
        .iter()
        .map(|(_, status)| words(*status as i32))
        .chain([words(-1)])
        .collect();
    assert_eq!(distinct.len(), STATUSES.len() + 1);
    assert_eq!(words(i32::MAX), words(-1));
}

#[test]
fn the_header_gives_the_same_numbers() {
    let header = include_str!("../include/fakepay.h");
    for (name, status) in STATUSES {
        let declared = header
            .lines()
            .filter_map(|line| line.trim().strip_prefix(name)?.strip_prefix(" = "))
            .filter_map(|rest| rest.split([',', ' ']).next()?.parse::<i32>().ok());
        assert_eq!(declared.collect::<Vec<_>>(), [status as i32], "{name}");
    }
    let members = header.lines().filter(|line| line.contains(" = ")).count();
    assert_eq!(members, STATUSES.len());
}
