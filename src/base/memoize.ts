/** Caches each result by its key. The cache is cleared when it holds `limit` keys; programs use few patterns and shapes. */
export function memoize<Args extends [key: string, ...rest: unknown[]], Result>(
  compute: (...args: Args) => Result,
  limit = 4096,
): (...args: Args) => Result {
  const results = new Map<string, Result>();
  return (...args) => {
    let result = results.get(args[0]);
    if (result === undefined) {
      result = compute(...args);
      if (results.size >= limit) results.clear();
      results.set(args[0], result);
    }
    return result;
  };
}
