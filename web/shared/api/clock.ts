/** The city's time: this device's clock and how far it is off, learnt whenever an answer comes. */
export class CityClock {
  private ahead = 0
  private sure = Infinity

  constructor(private readonly keep: (ahead: number) => void = () => undefined) {}

  /** Take up what was learnt in an earlier life of the page. */
  recall(ahead: number | undefined): void {
    if (ahead !== undefined) this.ahead = ahead
  }

  /** Seconds since 1970 by the city's clock. */
  now(): number {
    return Date.now() / 1000 + this.ahead
  }

  /**
   * Learn from a time that the city said in an answer asked for at `asked` and read at `read` (ms of this device).
   * `grain` is how coarse the said time is, in ms: 1000 for a Date header, 1 for a document. A surer measurement stands for ten minutes.
   */
  learn(said: number, asked: number, read: number, grain: number): void {
    const error = (read - asked) / 2 + grain / 2
    this.sure = Math.min(this.sure + (read - this.learntAt) / 600, 1e9)
    if (!Number.isFinite(said) || error > this.sure) return
    this.ahead = (said + grain / 2 - (asked + read) / 2) / 1000
    this.sure = error
    this.learntAt = read
    this.keep(this.ahead)
  }

  private learntAt = 0
}
