/** The sweep over real time that all judges of order share: what was known before an operation began. */

/** Something that lasted from when it was asked until it was answered, and the position that it showed. */
interface Span {
  readonly invokedAt: number
  readonly completedAt: number
}

/**
 * Goes through spans in the order in which they were asked, and tells for each the highest position that those show which
 * were answered before. `visit` gives the position of the span.
 */
export const sweep = <S extends Span, P extends number | bigint>(
  spans: ReadonlyArray<S>,
  lowest: P,
  visit: (span: S, floor: P) => P
): void => {
  const asked = spans.toSorted((a, b) => a.invokedAt - b.invokedAt)
  const answered = spans
    .filter((span) => Number.isFinite(span.completedAt))
    .toSorted((a, b) => a.completedAt - b.completedAt)
  const positions = new Map<S, P>()
  let floor = lowest
  let next = 0
  for (const span of asked) {
    while (next < answered.length && answered[next]!.completedAt < span.invokedAt) {
      const position = positions.get(answered[next++]!) ?? lowest
      if (position > floor) floor = position
    }
    positions.set(span, visit(span, floor))
  }
}
