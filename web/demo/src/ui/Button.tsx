import type { ComponentProps } from "react";
import styles from "./Button.module.css";

export interface ButtonProps extends ComponentProps<"button"> {
  readonly look?: "plain" | "strong" | "quiet";
}

export function Button({ look = "plain", className = "", type = "button", ...rest }: ButtonProps) {
  const looks = { plain: "", strong: styles.strong, quiet: styles.quiet };
  return (
    <button type={type} className={`${styles.button} ${looks[look]} ${className}`} {...rest} />
  );
}
