// Numbers in words, as reports/wording.py says them.
const DASH = "–";
const NO_INTERVAL = "no interval"; // of one fork or seed

function quantity(value) {
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e9) return value === 0 ? "0" : value.toExponential(2).replace(/([+-])(\d)$/, "$10$2");
  const whole = size >= 1 ? String(Math.trunc(size)).length : 0;
  return grouped(value, Math.max(0, 3 - whole));
}

function grouped(value, digits) {
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function percent(value) {
  return value >= 0.01 ? `${(100 * value).toFixed(0)}\u00a0%` : `${Number((100 * value).toPrecision(1))}\u00a0%`;
}

function ends([, low, high, range], forks) {
  if (forks === 1) return "one fork";
  if (range && low === high) return NO_INTERVAL;
  return `${range ? "range " : ""}${quantity(low)} to ${quantity(high)}`;
}

// A ratio and its ends; with more digits where two would round an end that is not 1 to 1.
function ratio([value, low, high, range]) {
  const every = [value, low, high];
  const digits = [2, 3, 4].find((d) => !every.some((v) => Number(v.toFixed(d)) === 1 && v !== 1)) ?? 4;
  const [shown, from, to] = every.map((v) => (v >= 10 ? quantity(v) : v >= 10 ** -digits / 2 ? grouped(v, digits) : `<${10 ** -digits}`));
  return [shown, range && low === high ? NO_INTERVAL : `${range ? "range " : ""}${from} to ${to}`];
}

function joined(names) {
  return names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names[0] ?? "";
}
