//! A fake payments provider behind a C ABI.
//!
//! The rules are in [`payments`]; this file is the border a host crosses. `include/fakepay.h`
//! declares the same functions for C.
//!
//! - **Results.** Each call that can fail returns a [`Status`] as an `int32_t`: zero is success.
//!   [`fakepay_describe`] puts a status into words.
//! - **Text in** is UTF-8, ends with a NUL and is only borrowed for the call.
//! - **Text out** is written through the last argument, and is set to null whenever the call
//!   fails. It belongs to the caller, who gives it back to [`fakepay_free`]. C's `free` must not
//!   be used, because the library may have another allocator than the caller.
//! - **Threads.** One provider may be used from several threads at once.
//! - **Panics** end at the border, as [`Status::Internal`]. Unwinding into a caller that is not
//!   Rust is undefined behaviour on the older compilers this crate supports.

#![deny(unsafe_op_in_unsafe_fn)]

pub mod payments;

use payments::{Payments, Refusal};
use std::ffi::{CStr, CString};
use std::os::raw::c_char;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;
use std::sync::Mutex;

/// How a call ended.
///
/// The numbers are part of the ABI: they are never reused for another meaning.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Done.
    Ok = 0,
    /// An argument that has to point somewhere is null.
    NullArgument = 1,
    /// A text is not UTF-8.
    InvalidText = 2,
    /// No method has this id.
    UnknownMethod = 3,
    /// The amount is zero.
    EmptyAmount = 4,
    /// The amount is above the method's limit.
    Declined = 5,
    /// No authorization has this code.
    UnknownCode = 6,
    /// The authorization was completed before.
    AlreadyCompleted = 7,
    /// A defect of the provider itself.
    Internal = 8,
}

impl Status {
    const ALL: [Self; 9] = [
        Self::Ok,
        Self::NullArgument,
        Self::InvalidText,
        Self::UnknownMethod,
        Self::EmptyAmount,
        Self::Declined,
        Self::UnknownCode,
        Self::AlreadyCompleted,
        Self::Internal,
    ];

    /// Describes the status, with the NUL that C needs.
    fn words(self) -> &'static [u8] {
        match self {
            Self::Ok => b"done\0",
            Self::NullArgument => b"an argument is null\0",
            Self::InvalidText => b"a text is not UTF-8\0",
            Self::UnknownMethod => b"no payment method has this id\0",
            Self::EmptyAmount => b"the amount is zero\0",
            Self::Declined => b"the amount is above the method's limit\0",
            Self::UnknownCode => b"no authorization has this code\0",
            Self::AlreadyCompleted => b"the authorization was completed before\0",
            Self::Internal => b"the provider itself failed\0",
        }
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::UnknownMethod => Self::UnknownMethod,
            Refusal::EmptyAmount => Self::EmptyAmount,
            Refusal::Declined => Self::Declined,
            Refusal::UnknownCode => Self::UnknownCode,
            Refusal::AlreadyCompleted => Self::AlreadyCompleted,
        }
    }
}

/// A provider, opaque to C.
pub struct Provider {
    payments: Mutex<Payments>,
}

/// Creates a provider that has authorized nothing yet.
///
/// The caller owns it and ends it with [`fakepay_delete`].
#[no_mangle]
pub extern "C" fn fakepay_new() -> *mut Provider {
    Box::into_raw(Box::new(Provider {
        payments: Mutex::new(Payments::new()),
    }))
}

/// Ends a provider; null is allowed and does nothing.
///
/// # Safety
///
/// `provider` is null or came from [`fakepay_new`], was not deleted before, and is used by no
/// other thread.
#[no_mangle]
pub unsafe extern "C" fn fakepay_delete(provider: *mut Provider) {
    if !provider.is_null() {
        // SAFETY: the caller vouches that this is the box made by `fakepay_new`.
        drop(unsafe { Box::from_raw(provider) });
    }
}

/// Authorizes `amount`, in minor units, with the method `method`; `code` receives the
/// authorization's code.
///
/// # Safety
///
/// `provider` is null or a live provider, `method` is null or points to text ending with a NUL,
/// `code` is null or points to a writable pointer.
#[no_mangle]
pub unsafe extern "C" fn fakepay_authorize(
    provider: *const Provider,
    method: *const c_char,
    amount: u64,
    code: *mut *mut c_char,
) -> i32 {
    // SAFETY: the caller keeps the contract above, which is the one of these two.
    answer(unsafe { code.as_mut() }, || unsafe {
        change(provider, |payments| {
            Ok(payments.authorize(text(method)?, amount)?)
        })
    })
}

/// Completes the authorization `code`; `transaction` receives the transaction's id.
///
/// # Safety
///
/// `provider` is null or a live provider, `code` is null or points to text ending with a NUL,
/// `transaction` is null or points to a writable pointer.
#[no_mangle]
pub unsafe extern "C" fn fakepay_complete(
    provider: *const Provider,
    code: *const c_char,
    transaction: *mut *mut c_char,
) -> i32 {
    // SAFETY: the caller keeps the contract above, which is the one of these two.
    answer(unsafe { transaction.as_mut() }, || unsafe {
        change(provider, |payments| Ok(payments.complete(text(code)?)?))
    })
}

/// Lists the methods; `methods` receives one line each: id, label and limit in minor units,
/// separated by tabs.
///
/// # Safety
///
/// `methods` is null or points to a writable pointer.
#[no_mangle]
pub unsafe extern "C" fn fakepay_methods(methods: *mut *mut c_char) -> i32 {
    // SAFETY: the caller vouches for the pointer.
    answer(unsafe { methods.as_mut() }, || Ok(payments::list()))
}

/// Gives a text back that one of the calls above returned; null is allowed and does nothing.
///
/// # Safety
///
/// `text` is null or came from this library, and was not given back before.
#[no_mangle]
pub unsafe extern "C" fn fakepay_free(text: *mut c_char) {
    if !text.is_null() {
        // SAFETY: the caller vouches that this is a text made by `answer`.
        drop(unsafe { CString::from_raw(text) });
    }
}

/// Puts a status into words; a number that is no status is described too.
///
/// The text is static: it must not be given to [`fakepay_free`].
#[no_mangle]
pub extern "C" fn fakepay_describe(status: i32) -> *const c_char {
    let words = Status::ALL
        .iter()
        .find(|known| **known as i32 == status)
        .map_or(&b"unknown status\0"[..], |known| known.words());
    words.as_ptr().cast()
}

/// Runs `work`, hands its text to the caller through `out`, and turns a panic into a status.
fn answer(out: Option<&mut *mut c_char>, work: impl FnOnce() -> Result<String, Status>) -> i32 {
    let out = match out {
        Some(out) => out,
        None => return Status::NullArgument as i32,
    };
    *out = ptr::null_mut();
    // The closure's state cannot be seen half changed: what it reaches through the mutex is
    // poisoned by the panic, and `change` refuses it from then on.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        CString::new(work()?).map_err(|_| Status::Internal)
    }));
    let status = match outcome {
        Ok(Ok(text)) => {
            *out = text.into_raw();
            Status::Ok
        }
        Ok(Err(status)) => status,
        Err(_) => Status::Internal,
    };
    status as i32
}

/// Runs `work` on the payments of `provider`, one thread at a time.
///
/// # Safety
///
/// `provider` is null or a live provider.
unsafe fn change(
    provider: *const Provider,
    work: impl FnOnce(&mut Payments) -> Result<String, Status>,
) -> Result<String, Status> {
    // SAFETY: the caller vouches for the pointer.
    let provider = unsafe { provider.as_ref() }.ok_or(Status::NullArgument)?;
    let mut payments = provider.payments.lock().map_err(|_| Status::Internal)?;
    work(&mut payments)
}

/// Borrows a caller's text.
///
/// # Safety
///
/// `text` is null or points to text ending with a NUL, which stays unchanged during `'a`.
unsafe fn text<'a>(text: *const c_char) -> Result<&'a str, Status> {
    if text.is_null() {
        return Err(Status::NullArgument);
    }
    // SAFETY: not null, and the caller vouches for the NUL.
    unsafe { CStr::from_ptr(text) }
        .to_str()
        .map_err(|_| Status::InvalidText)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_status() {
        let mut out = ptr::NonNull::dangling().as_ptr();
        let status = answer(Some(&mut out), || panic!("on purpose"));
        assert_eq!(status, Status::Internal as i32);
        assert!(out.is_null());
    }

    #[test]
    fn a_provider_that_panicked_stays_refused() {
        let provider = Provider {
            payments: Mutex::new(Payments::new()),
        };
        let mut out = ptr::null_mut();
        let status = answer(Some(&mut out), || unsafe {
            change(&provider, |_| panic!("on purpose"))
        });
        assert_eq!(status, Status::Internal as i32);
        let after = unsafe { change(&provider, |_| Ok(String::new())) };
        assert_eq!(after, Err(Status::Internal));
    }

    #[test]
    fn text_that_c_cannot_hold_is_a_defect() {
        let mut out = ptr::null_mut();
        let status = answer(Some(&mut out), || Ok("a\0b".into()));
        assert_eq!(status, Status::Internal as i32);
        assert!(out.is_null());
    }
}
