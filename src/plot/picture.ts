/** A drawing, finished. */
export class Picture {
  /** What it shows, for pages and readers that name it. */
  readonly title: string;
  /** The drawing as an SVG document, which needs nothing outside itself. */
  readonly svg: string;

  /** @internal */
  constructor(title: string, svg: string) {
    this.title = title;
    this.svg = svg;
  }

  /** The SVG. */
  toString(): string {
    return this.svg;
  }
}
