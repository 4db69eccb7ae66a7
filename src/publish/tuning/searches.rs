//! Best values with their proofs, best values along another range, ranges moved one at a time.

use super::{Found, Solution, Tuning};
use crate::domain::Outcome;
use crate::publish::sheet::{Sheet, Values};

/// What the cells of a solution say.
struct Told {
    outcome: &'static str,
    value: String,
    figure: Option<i64>,
    beyond: String,
    beyond_figure: Option<i64>,
    proof: String,
    cost: Option<i64>,
    overlay: String,
}

fn told(solution: &Solution) -> Told {
    let blank = || Told {
        outcome: "",
        value: String::new(),
        figure: None,
        beyond: String::new(),
        beyond_figure: None,
        proof: String::new(),
        cost: None,
        overlay: String::new(),
    };
    let Solution { condition, target, want, .. } = solution;
    match &solution.found {
        Found::Best { value, figure, overlay, outcome, beyond } => {
            let holds = format!("{value}: {figure} holds {condition} {target}");
            let fails = match beyond {
                Some((next, other)) => format!("{next}: {other} does not"),
                None => format!("it is the {want} value of the range"),
            };
            let (next, other) =
                beyond.clone().map_or((String::new(), None), |(next, other)| (next, Some(other)));
            Told {
                outcome: "found",
                value: value.clone(),
                figure: Some(*figure),
                beyond: next,
                beyond_figure: other,
                proof: format!("{holds}; {fails}"),
                cost: Some(outcome.cost_fen),
                overlay: overlay.trim_end().to_owned(),
            }
        }
        Found::Never { value, figure } => Told {
            outcome: "never",
            value: value.clone(),
            figure: Some(*figure),
            proof: format!("{value}: {figure} does not hold {condition} {target}, nor does any"),
            ..blank()
        },
        Found::NotMonotone { tried } => {
            let tried: Vec<String> = tried.iter().map(|(v, f)| format!("{v}: {f}")).collect();
            Told {
                outcome: "not_monotone",
                proof: format!("figures go both ways ({}); use a grid", tried.join(", ")),
                ..blank()
            }
        }
        Found::Failed { reason } => Told { outcome: "failed", proof: reason.clone(), ..blank() },
    }
}

/// The columns of solutions, behind those that name them.
fn put(sheet: &mut Sheet, all: &[&Solution], assumed: &str) {
    let cells: Vec<Told> = all.iter().map(|solution| told(solution)).collect();
    let own = |pick: fn(&Solution) -> String| Values::Text(all.iter().map(|of| pick(of)).collect());
    let text = |pick: fn(&Told) -> String| Values::Text(cells.iter().map(pick).collect());
    sheet.put("range", "参数", own(|of| of.range.clone()));
    sheet.put("want", "所求", own(|of| of.want.to_owned()));
    sheet.put("condition", "条件", own(|of| of.condition.to_owned()));
    sheet.put("target", "界限", Values::Int(all.iter().map(|of| of.target).collect()));
    sheet.put("outcome", "结果", text(|cell| cell.outcome.to_owned()));
    sheet.put("value", "取值", text(|cell| cell.value.clone()));
    sheet.put("figure", "指标值", Values::MaybeInt(cells.iter().map(|c| c.figure).collect()));
    sheet.put("beyond", "相邻取值", text(|cell| cell.beyond.clone()));
    let others = cells.iter().map(|cell| cell.beyond_figure).collect();
    sheet.put("beyond_figure", "相邻指标值", Values::MaybeInt(others));
    sheet.put("cost_fen", "总成本", Values::MaybeFen(cells.iter().map(|c| c.cost).collect()));
    let tried = all.iter().map(|of| i64::try_from(of.tried).unwrap_or(i64::MAX)).collect();
    sheet.put("tried", "试算次数", Values::Int(tried));
    sheet.put("proof", "依据", text(|cell| cell.proof.clone()));
    sheet.put("overlay", "参数叠加", text(|cell| cell.overlay.clone()));
    sheet.put("assumptions", "假设", Values::Text(vec![assumed.to_owned(); all.len()]));
}

/// `solutions`.
pub(super) fn solutions(of: &Tuning) -> Sheet {
    let all: Vec<&Solution> = of.solutions.iter().collect();
    let mut sheet = Sheet::new("solutions", all.len());
    sheet.put("id", "求解", Values::Text(all.iter().map(|one| one.id.clone()).collect()));
    sheet.put("title", "说明", Values::Text(all.iter().map(|one| one.title.clone()).collect()));
    put(&mut sheet, &all, &of.assumed_text());
    sheet
}

/// `frontier`.
pub(super) fn frontier(of: &Tuning) -> Sheet {
    let points: Vec<_> = of
        .frontiers
        .iter()
        .flat_map(|frontier| frontier.points.iter().map(move |(at, one)| (frontier, at, one)))
        .collect();
    let mut sheet = Sheet::new("frontier", points.len());
    let ids = points.iter().map(|(frontier, ..)| frontier.id.clone()).collect();
    sheet.put("id", "前沿", Values::Text(ids));
    let along = points.iter().map(|(frontier, ..)| frontier.along.clone()).collect();
    sheet.put("along", "沿参数", Values::Text(along));
    let at = points.iter().map(|(_, at, _)| (*at).clone()).collect();
    sheet.put("at", "取值点", Values::Text(at));
    let all: Vec<&Solution> = points.iter().map(|(_, _, one)| *one).collect();
    put(&mut sheet, &all, &of.assumed_text());
    sheet
}

/// `sensitivity`.
pub(super) fn sensitivity(of: &Tuning) -> Sheet {
    let points: Vec<_> = of
        .moved
        .iter()
        .flat_map(|moved| moved.points.iter().map(move |(value, told)| (moved, value, told)))
        .collect();
    let mut sheet = Sheet::new("sensitivity", points.len());
    let ranges = points.iter().map(|(moved, ..)| moved.range.clone()).collect();
    sheet.put("range", "参数", Values::Text(ranges));
    let values = points.iter().map(|(_, value, _)| (*value).clone()).collect();
    sheet.put("value", "取值", Values::Text(values));
    let number = |pick: &dyn Fn(&Outcome) -> i64| -> Vec<Option<i64>> {
        points.iter().map(|(_, _, told)| told.as_ref().ok().map(pick)).collect()
    };
    let base = of.baseline.cost_fen;
    sheet.put("cost_fen", "总成本", Values::MaybeFen(number(&|o| o.cost_fen)));
    sheet.put("cost_change_fen", "较基线", Values::MaybeFen(number(&|o| o.cost_fen - base)));
    let paid = number(&|o| i64::try_from(o.children_paid).unwrap_or(i64::MAX));
    sheet.put("children_paid", "受益儿童人月", Values::MaybeInt(paid));
    let errors = points.iter().map(|(_, _, told)| told.as_ref().err().cloned().unwrap_or_default());
    sheet.put("error", "未能计算", Values::Text(errors.collect()));
    sheet.put("assumptions", "假设", Values::Text(vec![of.assumed_text(); points.len()]));
    sheet
}
