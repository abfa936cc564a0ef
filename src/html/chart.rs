//! Charts: columns and lines over axes with steps, units, dates and marks.
//!
//! Shapes are in whole units of their own drawing, which stretches to the room there is; texts stand beside it, so that
//! they do not. Every axis of values begins at zero unless the chart says otherwise.

use serde::Serialize;

use super::axis::{Axis, FigureUnit};
use super::table::{WIDTH, scaled};
use crate::day::Day;

/// How high charts are.
pub const HEIGHT: u32 = 240;

/// Steps of an axis of values.
pub const STEPS: i128 = 4;

/// A column of a chart.
#[derive(Debug, Serialize)]
pub struct ChartColumn {
    /// Its left edge.
    pub left: u32,
    /// Its top edge.
    pub top: u32,
    /// Its width.
    pub width: u32,
    /// Its height.
    pub height: u32,
    /// Its colour.
    pub colour: String,
    /// What it shows, in words.
    pub alt: String,
}

/// A line of a chart.
#[derive(Debug, Serialize)]
pub struct ChartLine {
    /// Its points as SVG takes them.
    pub points: String,
    /// Its colour, and whether it is an `outline`.
    pub colour: String,
}

/// A point set off.
#[derive(Debug, Serialize)]
pub struct ChartDot {
    /// From the left.
    pub x: u32,
    /// From the top.
    pub y: u32,
    /// Its colour, and `held` or `released`.
    pub colour: String,
}

/// A text at a place of the drawing or of an axis, in thousandths of its width and height.
#[derive(Debug, Serialize)]
pub struct ChartLabel {
    /// From the left.
    pub x: u32,
    /// From the bottom.
    pub y: u32,
    /// What is read there.
    pub text: String,
    /// `first` and `last` keep within the edges, `between` goes where there is little room.
    pub kind: &'static str,
}

/// A drawing with its axes.
#[derive(Debug, Default, Serialize)]
pub struct Chart {
    /// The heading.
    pub title: String,
    /// What it shows, in words.
    pub alt: String,
    /// Names and colours.
    pub legend: Vec<(String, String)>,
    /// What the axis of values counts, above it.
    pub unit: String,
    /// The axis of values: labels from the bottom up, evenly apart.
    pub values: Vec<String>,
    /// Lines across, from the top.
    pub grid: Vec<u32>,
    /// Where zero is, if something lies below it.
    pub zero: Option<u32>,
    /// Stripes behind everything, for nights that are set off.
    pub stripes: Vec<ChartColumn>,
    /// From left to right.
    pub columns: Vec<ChartColumn>,
    /// Those drawn later cover those before.
    pub lines: Vec<ChartLine>,
    /// Above the lines.
    pub dots: Vec<ChartDot>,
    /// Values at the ends of lines.
    pub ends: Vec<ChartLabel>,
    /// Along the bottom.
    pub ticks: Vec<ChartLabel>,
    /// What lies along the bottom.
    pub along: String,
}

/// A point of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurvePoint {
    /// Where it lies along the bottom.
    pub along: i128,
    /// Its value.
    pub value: i128,
}

/// Charts folded away.
#[derive(Debug, Default, Serialize)]
pub struct MoreCharts {
    /// What they show.
    pub title: String,
    /// None, and nothing is folded away.
    pub charts: Vec<Chart>,
}

impl Chart {
    /// One without anything drawn, with the axis of its values.
    pub fn new(title: &str, unit: &FigureUnit, axis: &Axis) -> Chart {
        let (unit, values) = unit.axis(axis);
        let unit = if axis.least > 0 { format!("{unit}; begins at {}", values[0]) } else { unit };
        let grid = axis.ticks().into_iter().map(|value| HEIGHT - axis.along(value, HEIGHT));
        Chart {
            title: title.to_string(),
            unit,
            grid: grid.collect(),
            values,
            zero: (axis.least < 0).then(|| HEIGHT - axis.along(0, HEIGHT)),
            ..Chart::default()
        }
    }

    /// Draws a line through points, each by its place along the bottom and its value.
    pub fn draw_curve(&mut self, points: &[CurvePoint], along: &Axis, axis: &Axis, colour: &str) {
        let at = |point: &CurvePoint| {
            format!("{},{}", along.along(point.along, WIDTH), HEIGHT - axis.along(point.value, HEIGHT))
        };
        let points: Vec<String> = points.iter().map(at).collect();
        self.lines.push(ChartLine { points: points.join(" "), colour: colour.to_string() });
    }

    /// Sets a point off.
    pub fn mark_point(&mut self, point: &CurvePoint, along: &Axis, axis: &Axis, colour: &str) {
        let (x, y) = (along.along(point.along, WIDTH), HEIGHT - axis.along(point.value, HEIGHT));
        self.dots.push(ChartDot { x, y, colour: colour.to_string() });
    }

    /// Says what lies along the bottom, and writes figures there, at thousandths of its width.
    pub fn label_along(&mut self, along: &str, ticks: impl IntoIterator<Item = (i64, String)>) {
        self.along = along.to_string();
        self.ticks.extend(ticks.into_iter().map(|(place, text)| ChartLabel {
            x: place.clamp(0, 1000) as u32,
            y: 0,
            text,
            // What is near an edge keeps within it.
            kind: match place {
                ..60 => "first",
                940.. => "last",
                _ => "",
            },
        }));
    }
}

/// The nights along the bottom of charts.
pub struct NightAxis<'a> {
    /// Ascending, at least one.
    pub days: &'a [Day],
    /// How each stands: `held`, `released` or empty.
    pub marks: &'a [&'static str],
}

/// Room beside the first and the last night.
const MARGIN: u32 = 12;

/// Beyond so many nights only those set off and the last have a dot.
const MOST_DOTS: usize = 45;

impl NightAxis<'_> {
    /// Where a night lies.
    fn x(&self, number: usize) -> u32 {
        let (first, last) = (self.days[0].0, self.days[self.days.len() - 1].0);
        let span = i64::from(last) - i64::from(first);
        let distance = i64::from(self.days[number].0) - i64::from(first);
        if span == 0 {
            return WIDTH / 2;
        }
        MARGIN + (distance * i64::from(WIDTH - 2 * MARGIN) / span) as u32
    }

    /// Adds nights, their dates and their marks to a chart.
    pub fn place(&self, chart: &mut Chart) {
        chart.along = "night".to_string();
        let last = self.days.len() - 1;
        let named = self.named();
        chart.ticks.extend(named.iter().map(|number| ChartLabel {
            x: self.x(*number) * 1000 / WIDTH,
            y: 0,
            text: self.days[*number].to_string(),
            kind: match *number {
                _ if last == 0 => "",
                0 => "first",
                number if number == last => "last",
                _ => "between",
            },
        }));
        let half = ((WIDTH - 2 * MARGIN) / (2 * self.span().max(1))).clamp(2, MARGIN);
        let set_off = self.marks.iter().enumerate().filter(|(_, mark)| !mark.is_empty());
        chart.stripes.extend(set_off.map(|(number, mark)| ChartColumn {
            left: self.x(number) - half,
            top: 0,
            width: 2 * half,
            height: HEIGHT,
            colour: mark.to_string(),
            alt: format!("{} {mark}", self.days[number]),
        }));
    }

    /// The nights that are set off, in a sentence after a space; empty where none is.
    pub fn in_words(&self) -> String {
        let set_off = self.days.iter().zip(self.marks).filter(|(_, mark)| !mark.is_empty());
        let named: Vec<String> = set_off.map(|(day, mark)| format!("{day} was {mark}")).collect();
        if named.is_empty() { String::new() } else { format!(" {}.", named.join(", ")) }
    }

    /// Days from the first to the last.
    fn span(&self) -> u32 {
        self.days[0].0.abs_diff(self.days[self.days.len() - 1].0)
    }

    /// The nights whose dates are written: the ends, and those nearest to a half between them.
    fn named(&self) -> Vec<usize> {
        let last = self.days.len() - 1;
        let mut named = vec![0];
        if last >= 4 {
            named.push(last / 2);
        }
        if last > 0 {
            named.push(last);
        }
        named
    }

    /// Draws a figure night by night; a night that is not there breaks the line.
    pub fn draw(&self, chart: &mut Chart, values: &[i128], axis: &Axis, colour: &str) {
        let at = |number: usize| (self.x(number), HEIGHT - axis.along(values[number], HEIGHT));
        let numbers: Vec<usize> = (0..values.len()).collect();
        for run in numbers.chunk_by(|a, b| self.days[*b].0 == self.days[*a].0 + 1) {
            let points: Vec<String> =
                run.iter().map(|number| at(*number)).map(|(x, y)| format!("{x},{y}")).collect();
            chart.lines.push(ChartLine { points: points.join(" "), colour: colour.to_string() });
        }
        let shown = numbers.iter().filter(|number| {
            values.len() <= MOST_DOTS || **number + 1 == values.len() || !self.marks[**number].is_empty()
        });
        chart.dots.extend(shown.map(|number| {
            let (x, y) = at(*number);
            ChartDot { x, y, colour: format!("{colour} {}", self.marks[*number]).trim_end().to_string() }
        }));
    }

    /// Writes the first and the last value beside their points.
    pub fn label_ends(&self, chart: &mut Chart, values: &[i128], axis: &Axis, unit: &FigureUnit) {
        let last = values.len() - 1;
        let ends: &[(usize, &'static str)] =
            if last == 0 { &[(0, "")] } else { &[(0, "first"), (last, "last")] };
        chart.ends.extend(ends.iter().map(|(number, kind)| ChartLabel {
            x: self.x(*number) * 1000 / WIDTH,
            y: axis.along(values[*number], 1000),
            text: unit.text(values[*number]),
            kind,
        }));
    }
}

/// Counts by bin, side by side over the whole width; `behind` those of another night, as an outline.
pub fn histogram(chart: &mut Chart, counts: &[(u64, String, String)], behind: &[u64], axis: &Axis) {
    let bins = counts.len().max(1) as u32;
    let edge = |number: usize| number as u32 * WIDTH / bins;
    for (number, (count, colour, alt)) in counts.iter().enumerate().filter(|(_, (count, ..))| *count > 0) {
        let height = scaled((*count).into(), axis.most.unsigned_abs(), HEIGHT);
        chart.columns.push(ChartColumn {
            left: edge(number),
            top: HEIGHT - height,
            width: (edge(number + 1) - edge(number)).max(2) - 1,
            height,
            colour: colour.clone(),
            alt: alt.clone(),
        });
    }
    if !behind.is_empty() {
        histogram_outline(chart, behind, "outline", axis);
    }
}

/// The outline of counts by bin, or the area below it.
pub fn histogram_outline(chart: &mut Chart, counts: &[u64], colour: &str, axis: &Axis) {
    let bins = counts.len().max(1) as u32;
    let steps = counts.iter().enumerate().flat_map(|(number, count)| {
        let y = HEIGHT - axis.along((*count).into(), HEIGHT);
        [number as u32, number as u32 + 1].map(|edge| format!("{},{y}", edge * WIDTH / bins))
    });
    let points = std::iter::once(format!("0,{HEIGHT}")).chain(steps).chain([format!("{WIDTH},{HEIGHT}")]);
    let points: Vec<String> = points.collect();
    chart.lines.push(ChartLine { points: points.join(" "), colour: colour.to_string() });
}
