/** A text that is hard to read: what it says, and how it stands out from what is behind it. */
export interface Pale {
  readonly text: string;
  readonly ratio: number;
}

/**
 * Every text in sight whose contrast is below `least`, by the formula of WCAG 2. Runs inside the
 * page, so it brings all it needs along. What cannot be used now may be pale, as WCAG allows.
 */
export function paleTexts(least: number): Pale[] {
  type Color = readonly [red: number, green: number, blue: number, alpha: number];
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  if (!canvas) throw new Error("the browser draws nothing");

  // The browser itself reads colours, whatever notation they are in.
  const colorOf = (css: string): Color => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = css;
    canvas.fillRect(0, 0, 1, 1);
    const [red = 0, green = 0, blue = 0, alpha = 0] = canvas.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = ([r, g, b, alpha]: Color, [r0, g0, b0]: Color): Color => {
    const mix = (top: number, below: number) => top * alpha + below * (1 - alpha);
    return [mix(r, r0), mix(g, g0), mix(b, b0), 1];
  };
  const behind = (element: Element | null): Color => {
    if (!element) return [255, 255, 255, 1];
    const own = colorOf(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own : over(own, behind(element.parentElement));
  };
  const luminance = (color: Color): number => {
    const [red = 0, green = 0, blue = 0] = color.slice(0, 3).map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ratioOf = (element: Element, css: string): number => {
    const ground = behind(element);
    const one = luminance(over(colorOf(css), ground));
    const other = luminance(ground);
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  };

  const found: Pale[] = [];
  const look = (element: Element, text: string, css: string): void => {
    const ratio = ratioOf(element, css);
    if (ratio < least) found.push({ text, ratio: Math.round(ratio * 100) / 100 });
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const element = node.parentElement;
    const text = node.textContent?.trim();
    if (!text || !element?.checkVisibility() || element.closest(":disabled, noscript")) continue;
    const { color, fill } = getComputedStyle(element);
    look(element, text, element instanceof SVGElement ? fill : color);
  }
  for (const field of document.querySelectorAll("textarea")) {
    look(field, field.placeholder, getComputedStyle(field, "::placeholder").color);
  }
  return found;
}
