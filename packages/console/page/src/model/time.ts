/** Moments and durations in words. */

/** `just now`, `12 s ago`, `3 min ago`, `2 h ago`, `5 days ago`; a clock that is ahead gives `in 3 min`. */
export const ago = (then: number, now: number): string => {
  const seconds = Math.round((now - then) / 1000)
  if (Math.abs(seconds) < 3) return "just now"
  const words = duration(Math.abs(seconds) * 1000)
  return seconds < 0 ? `in ${words}` : `${words} ago`
}

/** The largest unit alone, as one says it. */
export const duration = (millis: number): string => {
  const seconds = Math.round(millis / 1000)
  if (millis < 1000) return `${Math.round(millis)} ms`
  if (seconds < 100) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 100) return `${minutes} min`
  const hours = Math.round(minutes / 60)
  if (hours < 36) return `${hours} h`
  const days = Math.round(hours / 24)
  return days < 730 ? `${days} days` : `${Math.round(days / 365)} years`
}

/** `29 Nov 2026, 12:01:10`, in the time zone of the browser. */
export const moment = (then: number): string => format.format(then)

/** `12:01:10.042`. */
export const clock = (then: number): string => {
  const date = new Date(then)
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`
}

const two = (value: number): string => String(value).padStart(2, "0")

const format = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit"
})
