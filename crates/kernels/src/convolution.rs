//! Convolutions of `[batch, channels, height, width]` and their gradients.
//!
//! The output of one image is a product: weights `[outputs, channels·taps]` times the image's
//! patches `[channels·taps, positions]`. Patches are never in memory: the panels that the product
//! wants are read from the image. Where each output channel reads one channel, a direct kernel does
//! without products; 3 × 3 taps of many channels are computed by tiles.

mod depthwise;
mod input;
mod patches;
mod product;
mod spot;
mod weight;
mod winograd;

use crate::gemm::Matrix;
use crate::simd::Float;
use crate::team::Team;
pub use crate::window::Axis;

pub use input::convolution_input;
use patches::{Grid, Image, Patches, Right};
use product::{Product, products};
pub use weight::convolution_weight;

/// The sizes of a convolution. Its input is `[batch, groups·inputs, rows, columns]`, its weight
/// `[groups·outputs, inputs, rows.kernel, columns.kernel]`.
#[derive(Clone, Copy, Debug)]
pub struct Convolution {
    /// Images.
    pub batch: usize,
    /// Groups of channels, each convolved by itself.
    pub groups: usize,
    /// Input channels of a group.
    pub inputs: usize,
    /// Output channels of a group.
    pub outputs: usize,
    /// Down the image.
    pub rows: Axis,
    /// Across it.
    pub columns: Axis,
    /// Whether to compute by tiles, which is for 3 × 3 taps next to each other and a stride of 1.
    pub tiled: bool,
}

impl Convolution {
    /// From the words `batch, groups, inputs, outputs`, those of both axes, and `tiled`.
    ///
    /// # Safety
    /// There are seventeen words at `from`.
    pub unsafe fn from_words(from: *const i32) -> Self {
        // SAFETY: the caller says so.
        unsafe {
            let [batch, groups, inputs, outputs] =
                core::array::from_fn(|index| *from.add(index) as usize);
            Self {
                batch,
                groups,
                inputs,
                outputs,
                rows: Axis::from_words(from.add(4)),
                columns: Axis::from_words(from.add(10)),
                tiled: *from.add(16) != 0,
            }
        }
    }

    fn taps(&self) -> usize {
        self.rows.kernel * self.columns.kernel
    }

    /// Weights of a group.
    fn weights(&self) -> usize {
        self.outputs * self.inputs * self.taps()
    }

    /// Elements of an input channel.
    fn input_plane(&self) -> usize {
        self.rows.input * self.columns.input
    }

    /// Elements of an output channel.
    fn output_plane(&self) -> usize {
        self.rows.output * self.columns.output
    }

    /// Whether channels are so few that a direct kernel does better than products.
    fn is_direct(&self) -> bool {
        self.inputs == 1 && self.outputs <= depthwise::MOST_OUTPUTS
    }

    /// Whether to compute by tiles. Not in f64, where results are checked rather than trained: it
    /// would add 5 KB to every download.
    fn is_tiled<T: Float>(&self) -> bool {
        self.tiled && T::DTYPE == f32::DTYPE
    }

    /// Whether patches are single positions, so that the image is their matrix.
    fn is_pointwise(&self) -> bool {
        self.rows.is_pointwise() && self.columns.is_pointwise()
    }

    /// The channels of group `group` of input `image`.
    fn input<T>(&self, x: *const T, image: usize, group: usize) -> Image<T> {
        let channels = self.batch * self.groups * self.inputs;
        Image {
            tensor: x,
            length: channels * self.input_plane(),
            at: (image * self.groups + group) * self.inputs * self.input_plane(),
        }
    }

    /// The patches of group `group` of input `image`.
    fn patches<T>(&self, x: *const T, image: usize, group: usize) -> Patches<T> {
        let grid = |axis: Axis| Grid {
            size: axis.input,
            positions: axis.output,
            stride: axis.stride,
            first: -(axis.padding as isize),
            step: axis.dilation as isize,
            taps: axis.kernel,
        };
        Patches {
            image: self.input(x, image, group),
            rows: grid(self.rows),
            columns: grid(self.columns),
            first: 0,
        }
    }
}

/// `y = weight ∗ x + bias`, by image and group.
///
/// # Safety
/// Tensors are as large as `c` says; `bias` has a number for each output channel or is null;
/// `scratch`, of use if `c.tiled`, has room for 16 numbers for each 9 weights and one.
pub unsafe fn convolution<T: Float>(
    team: &Team,
    c: &Convolution,
    x: *const T,
    weight: *const T,
    bias: *const T,
    y: *mut T,
    scratch: *mut T,
) {
    // SAFETY: the caller says so.
    unsafe {
        if c.is_tiled::<T>() && winograd::convolve(team, c, x, weight, bias, y, scratch) {
            return;
        }
        if c.is_direct() {
            depthwise::forward(team, c, x, weight, bias, y);
            return;
        }
        let depth = c.inputs * c.taps();
        let sizes = [c.outputs, c.output_plane(), depth];
        let product = |at: usize| Product {
            a: Matrix::dense(weight.wrapping_add(at % c.groups * c.weights()), depth),
            c: y.wrapping_add(at * c.outputs * c.output_plane()),
            bias: match bias.is_null() {
                true => bias,
                false => bias.wrapping_add(at % c.groups * c.outputs),
            },
        };
        products(team, c.batch * c.groups, sizes, product, |at| {
            let (image, group) = (at / c.groups, at % c.groups);
            if c.is_pointwise() {
                let Image { tensor, at, .. } = c.input(x, image, group);
                return Right::Matrix(Matrix::dense(tensor.wrapping_add(at), c.input_plane()));
            }
            Right::Patches(c.patches(x, image, group))
        });
    }
}
