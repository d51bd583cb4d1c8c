/** Metrics in the text format of Prometheus. */

export interface Family {
  readonly name: string
  readonly help: string
  readonly type: "gauge" | "counter" | "summary" | "untyped"
  readonly samples: ReadonlyArray<Sample>
}

export interface Sample {
  /** What follows the name of the family, such as `_sum`. */
  readonly suffix?: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** The content type of the text. */
export const contentType = "text/plain; version=0.0.4; charset=utf-8"

/** Families without samples are left out. */
export const format = (families: ReadonlyArray<Family>): string =>
  families
    .filter(({ samples }) => samples.length > 0)
    .map(({ help, name, samples, type }) => {
      const lines = samples.map(
        ({ labels, suffix = "", value }) => `${name}${suffix}${formatLabels(labels)} ${formatNumber(value)}\n`
      )
      return `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n# TYPE ${name} ${type}\n${lines.join("")}`
    })
    .join("")

/** A name that Prometheus takes: other characters become underscores. */
export const metricName = (name: string): string => name.replaceAll(/[^a-zA-Z0-9_:]/g, "_").replace(/^(?=\d)/, "_")

// ---- internal

const formatLabels = (labels: Readonly<Record<string, string>>): string => {
  const parts = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"')}"`
  )
  return parts.length === 0 ? "" : `{${parts.join(",")}}`
}

const formatNumber = (value: number): string =>
  Number.isNaN(value) ? "NaN" : value === Infinity ? "+Inf" : value === -Infinity ? "-Inf" : String(value)
