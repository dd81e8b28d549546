/** Where pimqtt is explained, and its repository: as the component's manifest says it. */
export const DOCUMENTATION = "https://github.com/pimqtt/pimqtt";
