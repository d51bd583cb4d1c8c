/** Numbers over time in one line of text. */

const levels = "▁▂▃▄▅▆▇█"

/** The last numbers, one character for each, from zero to the largest of them. A number that is missing is a space. */
export const sparkline = (values: ReadonlyArray<number | undefined>, width: number): string => {
  const shown = values.slice(-width)
  const max = Math.max(0, ...shown.map((value) => value ?? 0))
  return shown
    .map((value) => {
      if (value === undefined) return " "
      const level = max === 0 ? 0 : Math.round((value / max) * (levels.length - 1))
      return levels.charAt(Math.min(Math.max(level, 0), levels.length - 1))
    })
    .join("")
    .padStart(width)
}
