/** Short forms of times and data for tables. */
import { shown } from "./text.ts"

/** A time in its largest unit, and the next: 17s, 3m 20s, 2h 5m, 4d 1h. */
export const age = (millis: number): string => {
  // The clocks of servers may be ahead.
  const seconds = Math.max(0, Math.floor(millis / 1000))
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600), Math.floor(seconds / 60)]
  if (days > 0) return `${days}d ${hours % 24}h`
  if (hours > 0) return `${hours}h ${minutes % 60}m`
  return minutes > 0 ? `${minutes}m ${seconds % 60}s` : `${seconds}s`
}

/** Text that cannot act on the terminal, in one line that is not too long. */
export const oneLine = (text: string, length = 60): string => {
  const line = shown(text.trim().replaceAll(/\s*\n\s*/g, " ⏎ "))
  return line.length <= length ? line : `${line.slice(0, length)}…`
}
