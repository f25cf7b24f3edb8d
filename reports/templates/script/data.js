// The page's data: columns become rows, and groups of compared cases follow the filters.
const data = JSON.parse(document.getElementById("data").textContent);

function unpacked(columns) {
  const read = Object.entries(columns).map(([name, { of, at, values }]) => [name, at ? at.map((n) => of[n]) : values]);
  const count = read.length ? read[0][1].length : 0;
  return Array.from({ length: count }, (_, n) => Object.fromEntries(read.map(([name, values]) => [name, values[n]])));
}

const cases = unpacked(data.cases);
data.policies = unpacked(data.policies);
let next = 0;
data.groups.forEach((group, number) => {
  group.cases = cases.slice(next, (next += group.count));
  group.cases.forEach((one, place) => Object.assign(one, { group: number, place, forks: one.medians.length }));
});
for (const one of cases) {
  one.ms = 1000 / one.rate[0];
  one.share_limit = Math.max(one.share_flop ?? 0, one.share_copy ?? 0) || null;
  one.p99_cell = one.p99 && { text: one.indicative ? `(${quantity(one.p99)})` : quantity(one.p99), value: one.p99 };
}

// How many times the first of two cases is as fast as the second, which is slower, and the step seen.
function pair(group, faster, slower) {
  const [i, j] = [faster.place, slower.place];
  const found = group.pairs[i * group.count - (i * (i + 1)) / 2 + (j - i - 1)];
  const range = Math.min(faster.forks, slower.forks) < 3 ? 1 : 0;
  return { ratio: [...found.slice(0, 3), range], step: found[3] };
}

// Groups with the cases that pass the filters; each case is a share of the fastest of these.
function visibleGroups() {
  return data.groups.map((group) => {
    const seen = group.cases.filter(passes);
    const [fastest, ...others] = seen;
    if (fastest) Object.assign(fastest, { of_fastest: null, step: null });
    for (const other of others) {
      const { ratio: [value, low, high, range], step } = pair(group, fastest, other);
      Object.assign(other, { of_fastest: [1 / value, 1 / high, 1 / low, range], step });
    }
    return { ...group, seen };
  }).filter((group) => group.seen.length);
}

function answerOf(group) {
  const [first, second] = group.seen;
  const leads = group.seen.slice(1).map((other) => pair(group, first, other).ratio);
  const rivals = group.seen.slice(1).filter((_, n) => leads[n][1] <= 1 && leads[n][2] >= 1);
  const verdict = !second ? { text: "alone", value: 0 }
    : rivals.length ? { text: `○ not told from ${joined(rivals.map((one) => one.name))}`, value: 1 }
    : { text: "● fastest", value: 2, tone: "good" };
  return { ...first, lead: leads[0] ?? null, next: second?.name ?? null, verdict };
}

function* filesOf(rows) {
  for (const one of rows) {
    const [begin, ...rest] = one.files;
    for (let n = 0; n < rest.length; n += 1) {
      yield { ...identity(one), file: begin + rest[n], sha256: one.sha256[n], median: one.medians[n], certificate: one.certificates.join(" ") };
    }
  }
}

function identity(one) {
  return Object.fromEntries(Object.keys(data.filters).map((name) => [name, one[name]]));
}

// Device and run, where the page has more than one.
function whence(one) {
  return ["device", "run"].filter((name) => !isEmpty(one[name]) && values(name).length > 1).map((name) => one[name]);
}

function workTitle(one) {
  const policy = isEmpty(one.policy) || one.policy === "equal" ? [] : [`policy ${one.policy}`];
  return [`${one.network} ${one.task}, batch ${one.batch}`, ...policy, ...whence(one)].join(", ");
}

// Rows of a table's source that pass the filters, in the report's order.
const sources = {
  cases: () => current.groups.flatMap((group) => group.seen),
  answers: () => current.groups.map(answerOf),
  policies: () => data.policies.filter(passes),
  files: () => [...filesOf(sources.cases())],
};

function rowsOf(source) {
  return source in sources ? sources[source]() : (data.rows[source] ?? []).filter(passes);
}

// All values that a filter can choose from, in the report's order.
const known = {};
function values(name) {
  return (known[name] ??= [...new Set([...cases, ...Object.entries(data.rows).flatMap(([table, rows]) => (table === "runs" && name === "run" ? [] : rows))].flatMap((row) => row[name] ?? []))].map(String));
}

const current = { groups: [] };
