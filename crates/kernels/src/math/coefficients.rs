//! The numbers that elementary functions need in each precision.

/// Numbers that the functions of [`crate::math`] need.
pub trait Coefficients: Sized + 'static {
    /// log₂ e.
    const LOG2_E: Self;
    /// ln 2 cut short, so that its products with exponents are exact.
    const LN2_HIGH: Self;
    /// ln 2 − `LN2_HIGH`.
    const LN2_LOW: Self;
    /// 1.5·2ᵐ, m the bits of the significand: adding it rounds to an integer in the low bits.
    const ROUNDER: Self;
    /// From here on `exp` is infinite.
    const EXP_MAX: Self;
    /// From here down `exp` is 0.
    const EXP_MIN: Self;
    /// `(eʳ − 1 − r)/r²` for |r| ≤ ln 2 / 2.
    const EXP: &'static [Self];
    /// `(2·artanh(s) − 2s)/s³` as a polynomial of s² ≤ 0.0295.
    const LOG: &'static [Self];
    /// A power of two that makes every subnormal number normal, and its exponent.
    const UNSUBNORMAL: (Self, Self);
    /// `sin(r)/r − 1` over r², as a polynomial of r², for |r| ≤ π/4.
    const SIN: &'static [Self];
    /// `(cos r − 1 + r²/2)/r⁴`, as a polynomial of r², for |r| ≤ π/4.
    const COS: &'static [Self];
    /// `erf(x)/x − 1` as a polynomial of x² ≤ 1.
    const ERF_NEAR: &'static [Self];
    /// `ln(1 − erf x)` as a polynomial of x − 1, for x from 1 to `ERF_MAX`.
    const ERF_FAR: &'static [Self];
    /// From here on `erf` is 1.
    const ERF_MAX: Self;
}

impl Coefficients for f32 {
    const LOG2_E: f32 = core::f32::consts::LOG2_E;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    const ROUNDER: f32 = 12_582_912.0;
    const EXP_MAX: f32 = 89.0;
    const EXP_MIN: f32 = -87.6;
    const EXP: &'static [f32] = &[
        0.499_999_94,
        0.166_665_21,
        0.041_668_42,
        0.008_368_705,
        0.001_381_267,
    ];
    const LOG: &'static [f32] = &[0.666_667_76, 0.399_775_65, 0.298_711_15];
    const UNSUBNORMAL: (f32, f32) = (8_388_608.0, 23.0);
    const SIN: &'static [f32] = &[-0.166_666_55, 0.008_332_18, -0.000_195_174_81];
    const COS: &'static [f32] = &[0.041_666_646, -0.001_388_737, 2.443_872_8e-05];
    const ERF_NEAR: &'static [f32] = &[
        0.128_379_17,
        -0.376_126_26,
        0.112_836,
        -0.026_854_442,
        0.005_189_533,
        -0.000_802_082_24,
        7.889_062_5e-05,
    ];
    const ERF_FAR: &'static [f32] = &[
        -1.849_605_6,
        -2.638_967_5,
        -0.843_107_1,
        -0.041_563_466,
        0.010_046_425,
        -0.002_011_944_8,
        0.000_289_519_5,
        -2.168_549_7e-05,
    ];
    const ERF_MAX: f32 = 4.0;
}

impl Coefficients for f64 {
    const LOG2_E: f64 = core::f64::consts::LOG2_E;
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const ROUNDER: f64 = 6_755_399_441_055_744.0;
    const EXP_MAX: f64 = 710.0;
    const EXP_MIN: f64 = -708.6;
    const EXP: &'static [f64] = &[
        0.500_000_000_000_001_1,
        0.166_666_666_666_664_16,
        0.041_666_666_666_529_41,
        0.008_333_333_333_492_13,
        0.001_388_888_894_380_662_6,
        0.000_198_412_695_117_889_68,
        2.480_149_293_806_084e-05,
        2.755_758_170_430_632_4e-06,
        2.763_029_836_868_018e-07,
        2.500_151_031_858_164e-08,
    ];
    const LOG: &'static [f64] = &[
        0.666_666_666_666_673_4,
        0.399_999_999_994_158_53,
        0.285_714_287_421_312_2,
        0.222_221_985_964_48,
        0.181_835_633_212_787_23,
        0.153_140_706_738_350_06,
        0.147_958_045_540_580_26,
    ];
    const UNSUBNORMAL: (f64, f64) = (18_014_398_509_481_984.0, 54.0);
    const SIN: &'static [f64] = &[
        -0.166_666_666_666_666_32,
        0.008_333_333_333_322_451,
        -0.000_198_412_698_298_394_12,
        2.755_731_370_276_123_6e-06,
        -2.505_075_976_351_765e-08,
        1.589_688_776_927_286_5e-10,
    ];
    const COS: &'static [f64] = &[
        0.041_666_666_666_666_6,
        -0.001_388_888_888_887_415,
        2.480_158_728_950_042_6e-05,
        -2.755_731_435_762_724_5e-07,
        2.087_572_398_282_548_5e-09,
        -1.135_968_377_905_052e-11,
    ];
    const ERF_NEAR: &'static [f64] = &[
        0.128_379_167_095_512_56,
        -0.376_126_389_031_835_5,
        0.112_837_916_709_452_51,
        -0.026_866_170_643_275_792,
        0.005_223_977_607_420_333,
        -0.000_854_832_598_956_193_6,
        0.000_120_552_953_168_634_54,
        -1.492_474_460_029_571_2e-05,
        1.644_751_697_237_034_7e-06,
        -1.620_917_099_427_458_7e-07,
        1.372_295_684_404_203_7e-08,
        -7.801_155_669_461_602e-10,
    ];
    const ERF_FAR: &'static [f64] = &[
        -1.849_605_509_933_248_2,
        -2.638_967_514_234_775_7,
        -0.843_107_256_359_418_3,
        -0.041_561_098_024_992_16,
        0.010_033_825_178_255_427,
        -0.001_977_901_210_347_775_4,
        0.000_237_316_411_949_352,
        2.629_639_290_570_677_6e-05,
        -2.719_910_824_634_020_4e-05,
        9.671_578_394_517_602e-06,
        -2.132_158_158_255_03e-06,
        2.049_848_794_680_994e-07,
        5.791_206_259_803_499e-08,
        -3.335_028_185_692_937e-08,
        8.507_057_487_039_042e-09,
        -1.316_901_181_986_205_8e-09,
        1.190_819_379_715_761_2e-10,
        -4.852_976_647_042_316e-12,
    ];
    const ERF_MAX: f64 = 6.0;
}
