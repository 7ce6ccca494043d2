"""Tables and figures of all studies, each a target of its own name, and the targets of whole studies.

REQUIRED INPUTS: what each product needs, see nucleotune/studies/<study>/products.py; resources/published/<study>*.tsv
OUTPUTS: results/tables/<name>.tsv and .html, results/figures/<name>.svg and .png
"""

for study, product in [(study, one) for study, products in PRODUCTS.items() for one in products]:

    rule:
        name:
            product.name
        input:
            **product.needs,
        output:
            **product.outputs(of_run),
        log:
            f"logs/{product.name}.log",
        localrule: True
        conda:
            "../envs/nucleotune.yaml"
        params:
            make=product.make,
            arguments=product.arguments,
            code=code_digest(product.make, f"nucleotune.studies.{study}.texts"),
        message:
            product.title
        script:
            "../scripts/product.py"


for study in DATASETS:

    rule:
        name:
            study
        input:
            end_of(study),
        localrule: True


for study in [study for study, runs in ATTRIBUTED.items() if runs]:

    rule:
        name:
            f"{study}_motifs"
        input:
            [
                path
                for product in PRODUCTS[study]
                if product.make.endswith((":motif_table", ":logos"))
                for path in product.outputs(of_run).values()
            ],
        localrule: True
