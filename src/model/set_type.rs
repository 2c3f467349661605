//! What a set type's name says about its elements.
//!
//! `hash:ip,port,net`: a method and up to three dimensions. A message does not say which dimensions the kernel will
//! look at; the type does.

/// How a set stores its elements, and so whose error codes from 4352 up apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `bitmap:*`
    Bitmap,
    /// `hash:*`
    Hash,
    /// `list:*`
    List,
}

impl Method {
    /// The method of a type name.
    pub fn of(set_type: &str) -> Option<Self> {
        match set_type.split_once(':')?.0 {
            "bitmap" => Some(Self::Bitmap),
            "hash" => Some(Self::Hash),
            "list" => Some(Self::List),
            _ => None,
        }
    }
}

/// The dimensions that elements of a type have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dims(u8);

impl Dims {
    /// Of a set whose type is not known: whatever the message holds.
    pub const ANY: Self = Self(0xff);
    /// The first address.
    pub const IP: Self = Self(1);
    /// A port, with a protocol or without.
    pub const PORT: Self = Self(2);
    /// A hardware address.
    pub const MAC: Self = Self(4);
    /// A packet mark.
    pub const MARK: Self = Self(8);
    /// A network interface.
    pub const IFACE: Self = Self(16);
    /// The second address.
    pub const IP2: Self = Self(32);
    /// The name of a set.
    pub const SET: Self = Self(64);

    /// The dimensions of a type; [`Dims::ANY`] for a type that is not known.
    pub fn of(set_type: Option<&str>) -> Self {
        let Some((_, words)) = set_type.and_then(|t| t.split_once(':')) else { return Self::ANY };
        let mut dims = Self(0);
        for word in words.split(',') {
            dims.0 |= match word {
                "ip" | "net" if dims.has(Self::IP) => Self::IP2,
                "ip" | "net" => Self::IP,
                "port" => Self::PORT,
                "mac" => Self::MAC,
                "mark" => Self::MARK,
                "iface" => Self::IFACE,
                "set" => Self::SET,
                _ => Self::ANY,
            }
            .0;
        }
        dims
    }

    /// True if elements have this dimension, or if nobody knows.
    pub const fn has(self, dim: Self) -> bool {
        self.0 & dim.0 == dim.0
    }

    /// True if the type is known.
    pub const fn known(self) -> bool {
        self.0 != Self::ANY.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimensions_of_types() {
        let dims = |t| Dims::of(Some(t)).0;
        assert_eq!(dims("hash:ip"), 1);
        assert_eq!(dims("hash:net,port,net"), 1 | 2 | 32);
        assert_eq!(dims("hash:net,net"), 1 | 32);
        assert_eq!(dims("bitmap:port"), 2);
        assert_eq!(dims("list:set"), 64);
        assert_eq!(dims("hash:something"), 0xff);
        assert_eq!(Dims::of(None), Dims::ANY);
        assert_eq!(Method::of("list:set"), Some(Method::List));
        assert_eq!(Method::of("iphash"), None);
    }
}
