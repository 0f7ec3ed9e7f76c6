import styles from "./ModelPicker.module.css";
import { MODELS } from "./models";

export interface ModelPickerProps {
  readonly model: string;
  readonly onChange: (model: string) => void;
}

export function ModelPicker({ model, onChange }: ModelPickerProps) {
  return (
    <label className={styles.picker}>
      Model
      <select
        className={styles.select}
        value={model}
        data-testid="model-picker"
        onChange={(event) => onChange(event.target.value)}
      >
        {MODELS.map(({ id, kind }) => (
          <option key={id} value={id}>
            {id}, {kind}
          </option>
        ))}
      </select>
    </label>
  );
}
