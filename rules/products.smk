"""Tables and figures of all studies, each a target of its own name, and the targets of whole studies.

REQUIRED INPUTS: what each product needs, see nucleotune/studies/<study>/products.py; resources/published/<study>*.tsv
OUTPUTS: results/tables/<name>.tsv and .html, results/figures/<name>.svg and .png
"""

for study, product in [(study, one) for study in RUN.studies for one in RUN.products[study]]:

    rule:
        name:
            product.name
        input:
            **product.needs,
        output:
            **product.outputs(RUN.place),
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


for study in RUN.studies:

    rule:
        name:
            study
        input:
            end_of(RUN, study),
        localrule: True


for study in [study for study, pairs in RUN.attributed.items() if pairs]:

    rule:
        name:
            f"{study}_motifs"
        input:
            [
                path
                for product in RUN.products[study]
                if product.make.endswith((":motif_table", ":logos"))
                for path in product.outputs(RUN.place).values()
            ],
        localrule: True
