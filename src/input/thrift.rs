//! Just enough of Thrift's compact protocol to look at what a footer or a page header claims before anything
//! is made of it: every count is bounded by the bytes there are, every depth by a constant.

/// Why bytes are not what they should be.
pub type Broken = &'static str;

/// The types of the wire, as far as the difference matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// A Boolean, which in a structure has no bytes of its own.
    Bool(bool),
    /// One byte.
    Byte,
    /// An integer of any width.
    Int,
    /// Eight bytes.
    Double,
    /// Text or bytes with their length in front.
    Binary,
    /// A list or a set.
    List,
    /// Keys and values.
    Map,
    /// A structure.
    Struct,
    /// Sixteen bytes.
    Uuid,
}

/// A list's head.
#[derive(Debug, Clone, Copy)]
pub struct List {
    /// Of its elements.
    pub wire: Wire,
    /// How many there are; each takes a byte at least, and so many bytes are left.
    pub count: usize,
}

/// Structures within structures; those of Parquet go to about ten.
const MOST_DEPTH: usize = 64;

/// Bytes being read.
pub struct ThriftReader<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

impl<'a> ThriftReader<'a> {
    /// Begins at the first byte.
    pub fn new(bytes: &'a [u8]) -> ThriftReader<'a> {
        ThriftReader { bytes, at: 0, depth: 0 }
    }

    /// How many bytes have been read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Whether the bytes came to an end where there should be more.
    pub fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn byte(&mut self) -> Result<u8, Broken> {
        let byte = *self.bytes.get(self.at).ok_or("it ends too early")?;
        self.at += 1;
        Ok(byte)
    }

    /// Passes over bytes.
    pub fn skip_bytes(&mut self, count: u64) -> Result<(), Broken> {
        let count = usize::try_from(count).ok().filter(|count| *count <= self.left());
        let Some(count) = count else {
            self.at = self.bytes.len();
            return Err("it ends too early");
        };
        self.at += count;
        Ok(())
    }

    fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// An unsigned integer.
    pub fn unsigned(&mut self) -> Result<u64, Broken> {
        let mut value = 0_u64;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("it holds an integer without an end")
    }

    /// A signed integer.
    pub fn int(&mut self) -> Result<i64, Broken> {
        let value = self.unsigned()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A structure's fields, by number; `each` reads a field's value and says so, or leaves it.
    pub fn fields(
        &mut self,
        each: &mut dyn FnMut(&mut Self, i64, Wire) -> Result<bool, Broken>,
    ) -> Result<(), Broken> {
        self.enter()?;
        let mut number = 0;
        loop {
            let head = self.byte()?;
            if head & 0x0f == 0 {
                self.depth -= 1;
                return Ok(());
            }
            number =
                if head >> 4 == 0 { self.int()? } else { i64::saturating_add(number, i64::from(head >> 4)) };
            let wire = wire(head & 0x0f)?;
            if !each(self, number, wire)? {
                self.skip(wire, false)?;
            }
        }
    }

    /// A list's head.
    pub fn list(&mut self) -> Result<List, Broken> {
        let head = self.byte()?;
        // Some writers give the elements of an empty list no type.
        if head == 0 {
            return Ok(List { wire: Wire::Byte, count: 0 });
        }
        let count = if head >> 4 == 15 { self.unsigned()? } else { u64::from(head >> 4) };
        Ok(List { wire: wire(head & 0x0f)?, count: self.plausible(count)? })
    }

    /// Every element of a list of structures.
    pub fn structs(&mut self, each: &mut dyn FnMut(&mut Self) -> Result<(), Broken>) -> Result<(), Broken> {
        let list = self.list()?;
        if list.count > 0 && list.wire != Wire::Struct {
            return Err("it holds a list of another kind than it should");
        }
        (0..list.count).try_for_each(|_| each(self))
    }

    /// Passes over a value. Within a list or a map a Boolean takes a byte.
    fn skip(&mut self, wire: Wire, is_element: bool) -> Result<(), Broken> {
        match wire {
            Wire::Bool(_) if !is_element => Ok(()),
            Wire::Bool(_) | Wire::Byte => self.skip_bytes(1),
            Wire::Int => self.unsigned().map(drop),
            Wire::Double => self.skip_bytes(8),
            Wire::Uuid => self.skip_bytes(16),
            Wire::Binary => {
                let length = self.unsigned()?;
                self.skip_bytes(length)
            }
            Wire::Struct => self.fields(&mut |_, _, _| Ok(false)),
            Wire::List => {
                self.enter()?;
                let List { wire, count } = self.list()?;
                // The Parquet reader would pass over any number of them without a look at a byte.
                if matches!(wire, Wire::Bool(_)) && count > 0 {
                    return Err("it holds a list of Booleans, which Parquet has no use for");
                }
                (0..count).try_for_each(|_| self.skip(wire, true))?;
                self.depth -= 1;
                Ok(())
            }
            Wire::Map => {
                let count = self.unsigned()?;
                if count > 0 { Err("it holds a map, which Parquet has no use for") } else { Ok(()) }
            }
        }
    }

    /// A count of elements of which each takes a byte at least.
    fn plausible(&self, count: u64) -> Result<usize, Broken> {
        let count = usize::try_from(count).ok().filter(|count| *count <= self.left());
        count.ok_or("it holds a list with more elements than there are bytes")
    }

    fn enter(&mut self) -> Result<(), Broken> {
        self.depth += 1;
        if self.depth > MOST_DEPTH { Err("its structures are nested too deep") } else { Ok(()) }
    }
}

fn wire(code: u8) -> Result<Wire, Broken> {
    Ok(match code {
        1 => Wire::Bool(true),
        2 => Wire::Bool(false),
        3 => Wire::Byte,
        4..=6 => Wire::Int,
        7 => Wire::Double,
        8 => Wire::Binary,
        9 | 10 => Wire::List,
        11 => Wire::Map,
        12 => Wire::Struct,
        13 => Wire::Uuid,
        _ => return Err("it holds a value of a type that there is not"),
    })
}
