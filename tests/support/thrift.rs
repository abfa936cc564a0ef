//! Thrift's compact protocol as a tree, so that tests can change one thing of a Parquet footer or page header.

use std::fs;
use std::path::Path;

/// A value, with the type that it has on the wire.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Bool(bool),
    Byte(u8),
    /// The type's code tells how wide it is said to be.
    Int(u8, i64),
    Double([u8; 8]),
    Binary(Vec<u8>),
    /// With the type of its elements, which an empty list has, too.
    List(u8, Vec<Value>),
    Struct(Vec<(i64, Value)>),
    /// Written as it is, whatever it is: for what no value can be.
    Raw(u8, Vec<u8>),
}

pub const I32: u8 = 5;
pub const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
pub const STRUCT: u8 = 12;

impl Value {
    /// A field of a structure, which must be there.
    pub fn field(&mut self, number: i64) -> &mut Value {
        let Value::Struct(fields) = self else { panic!("no structure: {self:?}") };
        let found = fields.iter_mut().find(|(own, _)| *own == number);
        &mut found.unwrap_or_else(|| panic!("there is no field {number}")).1
    }

    /// Gives a structure a field, or another value for it.
    pub fn set(&mut self, number: i64, value: Value) {
        let Value::Struct(fields) = self else { panic!("no structure: {self:?}") };
        fields.retain(|(own, _)| *own != number);
        fields.push((number, value));
        fields.sort_by_key(|(number, _)| *number);
    }

    /// Takes a field from a structure.
    pub fn remove(&mut self, number: i64) {
        let Value::Struct(fields) = self else { panic!("no structure: {self:?}") };
        fields.retain(|(own, _)| *own != number);
    }

    pub fn items(&mut self) -> &mut Vec<Value> {
        let Value::List(_, items) = self else { panic!("no list: {self:?}") };
        items
    }

    /// Every integer within, by the way that leads to it.
    pub fn integers(&mut self) -> Vec<&mut i64> {
        match self {
            Value::Int(_, value) => vec![value],
            Value::List(_, items) => items.iter_mut().flat_map(Value::integers).collect(),
            Value::Struct(fields) => fields.iter_mut().flat_map(|(_, value)| value.integers()).collect(),
            _ => Vec::new(),
        }
    }

    fn wire(&self) -> u8 {
        match self {
            Value::Bool(true) => 1,
            Value::Bool(false) => 2,
            Value::Byte(_) => 3,
            Value::Int(wire, _) | Value::Raw(wire, _) => *wire,
            Value::Double(_) => 7,
            Value::Binary(_) => BINARY,
            Value::List(..) => LIST,
            Value::Struct(_) => STRUCT,
        }
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        match self {
            Value::Bool(_) => {}
            Value::Byte(byte) => bytes.push(*byte),
            Value::Int(_, value) => write_unsigned(((value << 1) ^ (value >> 63)) as u64, bytes),
            Value::Double(double) => bytes.extend(double),
            Value::Binary(binary) => {
                write_unsigned(binary.len() as u64, bytes);
                bytes.extend(binary);
            }
            Value::List(wire, items) => {
                bytes.push(0xf0 | wire);
                write_unsigned(items.len() as u64, bytes);
                items.iter().for_each(|item| item.write(bytes));
            }
            Value::Struct(fields) => {
                for (number, value) in fields {
                    bytes.push(value.wire());
                    Value::Int(I32, *number).write(bytes);
                    value.write(bytes);
                }
                bytes.push(0);
            }
            Value::Raw(_, raw) => bytes.extend(raw),
        }
    }

    /// As the protocol writes it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        bytes
    }

    /// Reads a structure from the beginning of some bytes, and says how many it takes.
    pub fn parse(bytes: &[u8]) -> (Value, usize) {
        let mut at = 0;
        (parse(bytes, &mut at, STRUCT), at)
    }
}

fn write_unsigned(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn take(bytes: &[u8], at: &mut usize) -> u8 {
    *at += 1;
    bytes[*at - 1]
}

fn unsigned(bytes: &[u8], at: &mut usize) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = take(bytes, at);
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

fn int(bytes: &[u8], at: &mut usize) -> i64 {
    let value = unsigned(bytes, at);
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

fn parse(bytes: &[u8], at: &mut usize, wire: u8) -> Value {
    match wire {
        1 => Value::Bool(true),
        2 => Value::Bool(false),
        3 => Value::Byte(take(bytes, at)),
        4..=6 => Value::Int(wire, int(bytes, at)),
        7 => {
            *at += 8;
            Value::Double(bytes[*at - 8..*at].try_into().unwrap())
        }
        BINARY => {
            let length = unsigned(bytes, at) as usize;
            *at += length;
            Value::Binary(bytes[*at - length..*at].to_vec())
        }
        LIST => {
            let head = take(bytes, at);
            let count = if head >> 4 == 15 { unsigned(bytes, at) } else { u64::from(head >> 4) };
            Value::List(head & 15, (0..count).map(|_| parse(bytes, at, head & 15)).collect())
        }
        STRUCT => {
            let mut fields = Vec::new();
            let mut number = 0;
            loop {
                let head = take(bytes, at);
                if head == 0 {
                    return Value::Struct(fields);
                }
                number = if head >> 4 == 0 { int(bytes, at) } else { number + i64::from(head >> 4) };
                fields.push((number, parse(bytes, at, head & 15)));
            }
        }
        other => panic!("no writer of ours writes type {other}"),
    }
}

/// A Parquet file's footer.
pub fn footer(file: &[u8]) -> Value {
    Value::parse(&file[footer_start(file)..]).0
}

fn footer_start(file: &[u8]) -> usize {
    let tail = file.len() - 8;
    tail - u32::from_le_bytes(file[tail..tail + 4].try_into().unwrap()) as usize
}

/// The file with another footer.
pub fn with_footer(file: &[u8], footer: &[u8]) -> Vec<u8> {
    let mut bytes = file[..footer_start(file)].to_vec();
    bytes.extend(footer);
    bytes.extend((footer.len() as u32).to_le_bytes());
    bytes.extend(b"PAR1");
    bytes
}

/// Changes something of a file's footer.
pub fn edit_footer(path: &Path, edit: impl FnOnce(&mut Value)) {
    let file = fs::read(path).unwrap();
    let mut footer = footer(&file);
    edit(&mut footer);
    fs::write(path, with_footer(&file, &footer.to_bytes())).unwrap();
}

/// The metadata of a column chunk.
pub fn chunk(footer: &mut Value, row_group: usize, column: usize) -> &mut Value {
    footer.field(4).items()[row_group].field(1).items()[column].field(3)
}

/// Changes something of the header of a column's first page; what comes after it in the file moves up or
/// down, and the footer is told.
pub fn edit_first_page(path: &Path, column: usize, edit: impl FnOnce(&mut Value)) {
    let mut file = fs::read(path).unwrap();
    let mut footer = footer(&file);
    let start = first_page(&mut footer, column);
    let (mut header, length) = Value::parse(&file[start as usize..]);
    edit(&mut header);
    let header = header.to_bytes();
    let grown = header.len() as i64 - length as i64;
    file.splice(start as usize..start as usize + length, header);
    for group in 0..footer.field(4).items().len() {
        for other in 0..footer.field(4).items()[group].field(1).items().len() {
            let chunk = chunk(&mut footer, group, other);
            let is_own = (group, other) == (0, column);
            if is_own {
                add(chunk.field(7), grown);
                add(chunk.field(6), grown);
            }
            let Value::Struct(fields) = chunk else { unreachable!() };
            for (_, offset) in fields.iter_mut().filter(|(number, _)| [9, 11].contains(number)) {
                let Value::Int(_, offset) = offset else { unreachable!() };
                *offset += if *offset > start { grown } else { 0 };
            }
        }
    }
    let bytes = with_footer(&file, &footer.to_bytes());
    fs::write(path, bytes).unwrap();
}

/// Where a column's first page begins in the first row group.
pub fn first_page(footer: &mut Value, column: usize) -> i64 {
    let Value::Struct(fields) = chunk(footer, 0, column) else { unreachable!() };
    let offsets = fields.iter().filter(|(number, _)| [9, 11].contains(number));
    let offsets =
        offsets.map(|(_, value)| if let Value::Int(_, offset) = value { *offset } else { i64::MAX });
    offsets.min().unwrap()
}

fn add(value: &mut Value, by: i64) {
    let Value::Int(_, value) = value else { panic!("no integer: {value:?}") };
    *value += by;
}
