"""`pocketbench recipe`: which recipes there are and whether one is valid."""

from __future__ import annotations

from typing import Annotated

import typer

from pocketbench.harness.cli.output import JsonOption, print_json, print_line, print_rows

__all__ = ["app"]

app = typer.Typer(help="List, show and check compression recipes.", no_args_is_help=True, rich_markup_mode=None)

Recipe = Annotated[str, typer.Argument(help="Name of a recipe that pocketbench has, or a YAML file.")]


@app.command("list")
def list_recipes(json: JsonOption = False) -> None:
    """List the recipes that pocketbench has.

    Example: pocketbench recipe list
    """
    from pocketbench.compression.recipes import load_recipe, recipe_names

    recipes = [load_recipe(name) for name in recipe_names()]
    rows = [{"name": recipe.name, "description": recipe.description} for recipe in recipes]
    print_rows(("name", "description"), rows, as_json=json, empty="no recipes")


@app.command()
def show(recipe: Recipe, json: JsonOption = False) -> None:
    """Print a recipe as YAML, a start for one of your own.

    Example: pocketbench recipe show prune-channels > mine.yaml
    """
    from pocketbench.compression.recipes import load_recipe

    loaded = load_recipe(recipe)
    if json:
        print_json(loaded.model_dump(mode="json"))
        return
    import yaml

    print_line(yaml.safe_dump(loaded.model_dump(mode="json"), sort_keys=False, allow_unicode=True).rstrip())


@app.command()
def check(recipe: Recipe) -> None:
    """Check a recipe: its steps, their options and their order.

    Example: pocketbench recipe check mine.yaml
    """
    from pocketbench.compression.recipes import load_recipe

    loaded = load_recipe(recipe)
    print_line(f"{recipe}: valid, {len(loaded.steps)} step{'s' * (len(loaded.steps) != 1)}")
