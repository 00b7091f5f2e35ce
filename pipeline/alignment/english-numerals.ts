const ONES = [
  ...['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'],
  ...['eleven', 'twelve', 'thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen'],
  'nineteen',
];
const TENS = ['twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'];
const LARGE = ['', ' thousand', ' million', ' billion'];
const LARGEST = 1e12;
const NUMBER = /\d{1,3}(?:,\d{3})+|\d+/g;
const SYMBOLS: Readonly<Record<string, string>> = { '%': ' percent', '&': ' and ', '+': ' plus ' };

/** Digits and symbols as they are mostly said, 35% → thirty five percent; for timing, not for show. */
export const englishDigitsToWords = (text: string): string =>
  text
    .replace(/(?<=\d)\.(?=\d)/g, ' point ')
    .replace(NUMBER, (digits) => ` ${readNumber(digits.replaceAll(',', ''))} `)
    .replace(/[%&+]/g, (symbol) => SYMBOLS[symbol] ?? '');

function readNumber(digits: string): string {
  const value = Number(digits);
  if (value >= LARGEST || (digits.length > 1 && digits.startsWith('0'))) {
    return [...digits].map((digit) => ONES[Number(digit)]).join(' ');
  }
  const isYear = digits.length === 4 && value >= 1100 && value < 2100 && value % 1000 >= 10;
  if (isYear) return `${below1000(Math.floor(value / 100))} ${yearEnd(value % 100)}`;
  if (value === 0) return ONES[0]!;
  const groups: string[] = [];
  for (let rest = value, level = 0; rest > 0; rest = Math.floor(rest / 1000), level++) {
    if (rest % 1000 > 0) groups.unshift(`${below1000(rest % 1000)}${LARGE[level]}`);
  }
  return groups.join(' ');
}

function yearEnd(value: number): string {
  if (value === 0) return 'hundred';
  return value < 10 ? `oh ${ONES[value]}` : below1000(value);
}

function below1000(value: number): string {
  if (value < 20) return ONES[value]!;
  const rest = value >= 100 ? value % 100 : value % 10;
  const head =
    value >= 100 ? `${ONES[Math.floor(value / 100)]} hundred` : TENS[Math.floor(value / 10) - 2]!;
  return rest === 0 ? head : `${head} ${below1000(rest)}`;
}
