/** A bounded list of the most recent items. The oldest are dropped, and counted. */
export class Recent<Item> {
  readonly #most: { items: number; size: number };
  readonly #sizeOf: (item: Item) => number;
  #items: Item[] = [];
  #size = 0;
  /** How many have gone. */
  dropped = 0;

  constructor(most: { items: number; size: number }, sizeOf: (item: Item) => number) {
    this.#most = most;
    this.#sizeOf = sizeOf;
  }

  get items(): readonly Item[] {
    return this.#items;
  }

  /** Returns the items dropped to make room. The last item always stays. */
  add(item: Item): Item[] {
    this.#items.push(item);
    this.#size += this.#sizeOf(item);
    let excess = 0;
    while (
      this.#items.length - excess > this.#most.items ||
      (this.#size > this.#most.size && this.#items.length - excess > 1)
    )
      this.#size -= this.#sizeOf(this.#items[excess++]!);
    this.dropped += excess;
    return this.#items.splice(0, excess);
  }
}
