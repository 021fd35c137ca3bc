/** Is this a telephone-sized window? (760 px: below it one pane is shown at a time.) */
const query = matchMedia('(max-width: 759px)');

class Screen {
  narrow = $state(query.matches);

  constructor() {
    query.addEventListener('change', () => (this.narrow = query.matches));
  }
}

export const screen = new Screen();
