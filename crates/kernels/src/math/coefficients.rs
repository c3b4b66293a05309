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
    /// `2·(eʳ − 1 − r)/r²` for |r| ≤ ln 2 / 2.
    const TWICE_EXP: &'static [Self];
    /// `(2ʳ − 1)/r` for |r| ≤ ½.
    const EXP2: &'static [Self];
    /// The least exponent of a normal number.
    const EXP2_MIN: Self;
    /// `(2·artanh(s) − 2s)/s³` as a polynomial of s² ≤ 0.0295.
    const LOG: &'static [Self];
    /// A power of two that makes every subnormal number normal, and its exponent.
    const UNSUBNORMAL: (Self, Self);
    /// `sin(r)/r − 1` over r², as a polynomial of r², for |r| ≤ π/4.
    const SIN: &'static [Self];
    /// `(cos r − 1 + r²/2)/r⁴`, as a polynomial of r², for |r| ≤ π/4.
    const COS: &'static [Self];
    /// `erf(x)/x − 1` as a polynomial of x², for x up to 5/4.
    const ERF_NEAR: &'static [Self];
    /// `(1 − erf x)^(−1/16)` as a polynomial of x − 5/4, for x from 5/4 to `ERF_MAX`.
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
    const TWICE_EXP: &'static [f32] = &[
        0.999_999_9,
        0.333_330_42,
        0.083_336_84,
        0.016_737_41,
        0.002_762_534,
    ];
    #[allow(clippy::approx_constant)] // the best is not the nearest to ln 2
    const EXP2: &'static [f32] = &[
        0.693_147,
        0.240_222_42,
        0.055_507_34,
        0.009_671_516,
        0.001_326_466_8,
    ];
    const EXP2_MIN: f32 = -126.0;
    const LOG: &'static [f32] = &[0.666_667_76, 0.399_775_65, 0.298_711_15];
    const UNSUBNORMAL: (f32, f32) = (8_388_608.0, 23.0);
    const SIN: &'static [f32] = &[-0.166_666_55, 0.008_332_18, -0.000_195_174_81];
    const COS: &'static [f32] = &[0.041_666_646, -0.001_388_737, 2.443_872_8e-05];
    const ERF_NEAR: &'static [f32] = &[
        0.128_379_17,
        -0.376_126_3,
        0.112_836_75,
        -0.026_860_248,
        0.005_209_016_6,
        -0.000_833_957_05,
        0.000_103_938_79,
        -7.572_968_6e-06,
    ];
    const ERF_FAR: &'static [f32] = &[
        1.173_705_6,
        0.225_037_4,
        0.085_460_186,
        0.015_981_8,
        0.002_980_898_4,
        0.000_449_910_44,
        0.000_140_492_15,
    ];
    const ERF_MAX: f32 = 3.93;
}

impl Coefficients for f64 {
    const LOG2_E: f64 = core::f64::consts::LOG2_E;
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const ROUNDER: f64 = 6_755_399_441_055_744.0;
    const EXP_MAX: f64 = 710.0;
    const EXP_MIN: f64 = -708.6;
    const TWICE_EXP: &'static [f64] = &[
        1.000_000_000_000_002_2,
        0.333_333_333_333_328_3,
        0.083_333_333_333_058_83,
        0.016_666_666_666_984_26,
        0.002_777_777_788_761_325_3,
        0.000_396_825_390_235_779_36,
        0.000_049_602_985_876_121_68,
        5.511_516_340_861_265e-06,
        5.526_059_673_736_036e-07,
        5.000_302_063_716_328e-08,
    ];
    const EXP2: &'static [f64] = &[
        core::f64::consts::LN_2,
        0.240_226_506_959_100_72,
        0.055_504_108_664_821_736,
        0.009_618_129_107_628_562,
        0.001_333_355_814_638_173_8,
        0.000_154_035_303_931_718_35,
        1.525_273_386_484_509_9e-05,
        1.321_548_700_340_765e-06,
        1.017_804_753_118_067_8e-07,
        7.054_814_836_763_028e-09,
        4.457_239_313_740_301_5e-10,
        2.585_523_844_459_004e-11,
    ];
    const EXP2_MIN: f64 = -1022.0;
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
        -0.376_126_389_031_837_26,
        0.112_837_916_709_540_88,
        -0.026_866_170_644_964_008,
        0.005_223_977_624_030_339,
        -0.000_854_832_695_181_915_1,
        0.000_120_553_306_195_312_56,
        -1.492_559_729_121_976_5e-05,
        1.646_128_000_735_449e-06,
        -1.635_655_026_700_034_8e-07,
        1.473_391_695_048_999_1e-08,
        -1.188_810_951_019_776e-09,
        7.936_798_256_066_214e-11,
        -3.261_873_248_178_856_4e-12,
    ];
    const ERF_FAR: &'static [f64] = &[
        1.173_705_518_452_478_5,
        0.225_037_782_464_122_84,
        0.085_453_224_475_223_33,
        0.016_024_417_635_938_197,
        0.002_866_736_337_816_819_6,
        0.000_593_736_566_008_334_3,
        6.033_758_812_479_396e-05,
        1.282_679_715_459_276_1e-05,
        1.822_873_725_111_981e-06,
        -1.036_870_196_128_290_4e-07,
        1.154_239_120_221_400_6e-07,
        -1.973_235_950_220_873_6e-08,
        3.966_337_279_654_765_5e-09,
        -3.949_481_470_595_387_7e-10,
        2.832_811_555_983_662e-11,
    ];
    const ERF_MAX: f64 = 5.95;
}
