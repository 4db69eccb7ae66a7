//! A small XLS workbook (BIFF 8), written by another program, as compressed hex.
//!
//! Headers 统一社会信用代码, 班型, 备案托位, 生效日 stand in B3 to E3; below them: A, 托小班, 30, a date
//! cell 2026-09-01; a blank row; 12345 (a number), 托大班, `5 个`; C, 托大班, 7, 长期.

const HEX: &[&str] = &[
    "28b52ffd640015451500c6f17e3dd01ca539650c348b5078649e048c96a4e39c992c40f22466b06cba77a45bd6d0",
    "59cf0a10974a53b44681152ab722d7b8043f51b69a208490bdf7963205640089006e005f2f7fee49f7c5f99be08d",
    "e87e059fa0569625dc52d63ffe5ef87353fedc92bf03feaaf8cbfa6b20ceb748f7390b7f2e45869e22a3a3a0319a",
    "7898bf5630265fa66b7fc21240ca4c7b854a6d477ddbb6a657ffa9bbb5a9ade9f527d34e13234b02b26809abab56",
    "201082c37d1a76413e7b5220c140c61913392f0cbba231451d6820702f161d489c5c4c840f1967dc57c30589a1d1",
    "4088496827e927e80d302eeaaa0388221b210f4323dc7b0ce84da5ee7328b639c65e1024514fd7743d55a6b96753",
    "f348adce2522a208306044485a15c91ca422a322a04f8fbcc1785ea468818461d6bd038263fb95044a385ffeb2ba",
    "569421441c0407218faeeb124d4dd048ab8b121d1b4c404a1cb4c428f140016146a901831697095117fcedd17d79",
    "7020f061c16f56e7efcedf03dd77c7df077f7d9e753ffdc5796fdc57c7edd85370f75173fc3dd1fa30e4610b9a24",
    "6ca2aefe0ae8be3989be37dd37c05fed5e5617435d447a54c49dcb16f8a4486734ba61cf198f1e0dd1d4e674edd9",
    "b15f7f7755ffbff0cf49d6fb790acba3d5505aed54cb56219355bd1bb1676f2993751b57562acf2eec7a5dd87775",
    "efaa6de6b87f9bfd5d3d9481bf014e20e06a64c449631ea47080a01b9c191d75a014c19140e085db81eeb6accb70",
    "d71e442ed474135ab123d5fb00d6766486410bfdfca0fd48d0855d8008949bacb69597c3bcb790c3087e582b0857",
    "02b88177b71dc7105abc3cb30bc004031a8404b831f23841b2861339ebfa4dd60c200b102f1bf00dbfb2089c55c2",
    "dc7e8dd5660882ba50837826147c30045adb52edb9178778385083c5838c7f6dfba0208a90165652705a287a478f",
    "e2446911",
];

/// The bytes of the workbook.
pub(crate) fn bytes() -> Vec<u8> {
    let hex = HEX.concat();
    let packed: Vec<u8> = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect();
    zstd::decode_all(packed.as_slice()).unwrap()
}
